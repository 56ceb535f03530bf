/** Draws what stands in a table: the table is for those who cannot see the chart, and the chart's only source. */
import uPlot from './uPlot.esm.js';

const box = document.getElementById('chart');
const ZONE = 'Asia/Shanghai';
const HEIGHT = 240;
const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  hour: '2-digit',
  minute: '2-digit',
});
let plot = null;

/** Times in the first column, then a column for each series. */
function read() {
  const table = document.querySelector(box.dataset.table);
  const [, ...names] = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const seconds = rows.map((row) => Date.parse(row.querySelector('time').dateTime) / 1000);
  const series = names.map((_, index) =>
    rows.map((row) => Number(row.cells[index + 1].textContent)),
  );
  return { names, data: [seconds, ...series] };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw() {
  const { names, data } = read();
  // Dashes tell the lines apart where colours do not.
  const styles = [
    { stroke: colour('--info'), width: 2 },
    { stroke: colour('--good'), width: 2 },
    { stroke: colour('--warn'), width: 2, dash: [6, 4] },
    { stroke: colour('--bad'), width: 2, dash: [2, 3] },
  ];
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 } };
  const options = {
    width: box.clientWidth,
    height: HEIGHT,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), ZONE),
    series: [
      { label: box.dataset.time, value: (_, second) => (second === null ? '–' : time(second)) },
      ...names.map((label, index) => ({ label, points: { show: false }, ...styles[index] })),
    ],
    axes: [
      { ...axis, values: (_, seconds) => seconds.map(time), space: 60 },
      { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
    ],
    scales: { y: { range: (_, _least, most) => [0, Math.max(5, most * 1.1)] } },
  };
  plot?.destroy();
  plot = new uPlot(options, data, box);
}

function time(second) {
  return clock.format(new Date(second * 1000));
}

document.addEventListener('payonce:fresh', () => plot?.setData(read().data));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
draw();
