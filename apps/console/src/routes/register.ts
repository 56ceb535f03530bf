export async function registerRoutes() {}
