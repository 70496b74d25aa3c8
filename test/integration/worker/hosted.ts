/** Does with the worker's default export what Deno Deploy does, and prints the statuses that it answers. */
import worker from "../../../worker/main.ts";

const remoteAddr = { transport: "tcp", hostname: "192.0.2.7", port: 1 } as const;
const statuses: number[] = [];
for (const path of ["/model", "/health/ready"]) {
  const headers = { authorization: "Bearer k" };
  const response = await worker.fetch(new Request(`https://worker.example${path}`, { headers }), { remoteAddr });
  statuses.push(response.status);
}
console.log(statuses.join(" "));
