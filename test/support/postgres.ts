import postgres from "postgres";

/** A server with pgvector for tests. */
export interface PostgresServer {
  /** What it is, for a person. */
  name: string;
  /** Whether it is Postgres as it is run in earnest: PGlite serves one connection, has one database and takes no settings. */
  isReal: boolean;
  /** Makes a database in which nothing is. */
  makeDatabase(): Promise<string>;
  /** Removes what was made, and ends what was started. */
  stop(): Promise<void>;
}

/** Where Debian keeps the programs of its Postgres. */
const DEBIAN = "/usr/lib/postgresql";

/**
 * The server that `TRIPTYCH_TEST_POSTGRES` names, by a URL of a user who may make databases; else Debian's, if pgvector is
 * there too; else PGlite behind a socket. Says which.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const server = await namedServer() ?? await debianServer() ?? await pglite();
  console.log(`Postgres: ${server.name}`);
  return server;
}

async function namedServer(): Promise<PostgresServer | undefined> {
  const url = Deno.env.get("TRIPTYCH_TEST_POSTGRES");
  if (url === undefined || url === "") return undefined;
  return await realServer(url, async (admin, made) => {
    for (const database of made) await admin.unsafe(`DROP DATABASE ${database} WITH (FORCE)`);
    await admin.end();
  });
}

async function debianServer(): Promise<PostgresServer | undefined> {
  const bin = await debianBin();
  if (bin === undefined) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "triptych-postgres-" });
  const port = freePort();
  // The server refuses to run as root.
  const isRoot = Deno.uid() === 0;
  const run = async (program: string, ...args: string[]) => {
    const command = isRoot
      ? new Deno.Command("runuser", { args: ["-u", "postgres", "--", `${bin}/${program}`, ...args] })
      : new Deno.Command(`${bin}/${program}`, { args });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  };
  if (isRoot) await new Deno.Command("chown", { args: ["postgres", folder] }).output();
  await run("initdb", "-D", `${folder}/data`, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8");
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder}`;
  await run("pg_ctl", "-D", `${folder}/data`, "-l", `${folder}/log`, "-o", options, "-w", "start");
  return await realServer(`postgres://postgres@127.0.0.1:${port}/postgres`, async (admin) => {
    await admin.end();
    await run("pg_ctl", "-D", `${folder}/data`, "-m", "immediate", "-w", "stop");
    await Deno.remove(folder, { recursive: true });
  });
}

/** The programs of the newest version of Debian's that has pgvector. */
async function debianBin(): Promise<string | undefined> {
  const versions = await Array.fromAsync(Deno.readDir(DEBIAN)).catch(() => []);
  for (const { name } of versions.sort((a, b) => Number(b.name) - Number(a.name))) {
    const control = `/usr/share/postgresql/${name}/extension/vector.control`;
    if (await Deno.stat(control).then(() => true, () => false)) return `${DEBIAN}/${name}/bin`;
  }
  return undefined;
}

async function realServer(
  url: string,
  end: (admin: postgres.Sql, made: string[]) => Promise<void>,
): Promise<PostgresServer> {
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  const [{ version }] = await admin`SELECT version() AS version`;
  const made: string[] = [];
  return {
    name: String(version).split(" on ")[0],
    isReal: true,
    async makeDatabase() {
      const database = `triptych_test_${crypto.randomUUID().replaceAll("-", "")}`;
      await admin.unsafe(`CREATE DATABASE ${database}`);
      made.push(database);
      const own = new URL(url);
      own.pathname = `/${database}`;
      return own.href;
    },
    stop: () => end(admin, made),
  };
}

async function pglite(): Promise<PostgresServer> {
  // Here, for they take seconds to load.
  const { PGlite } = await import("@electric-sql/pglite");
  const { vector } = await import("@electric-sql/pglite-pgvector");
  const { PGLiteSocketServer } = await import("@electric-sql/pglite-socket");
  const db = await PGlite.create({ extensions: { vector } });
  const port = freePort();
  const server = new PGLiteSocketServer({ db, port, host: "127.0.0.1", maxConnections: 100 });
  await server.start();
  return {
    // Its connections share one session, where they would come in each other's way.
    name: "PGlite, for there is no server with pgvector here and TRIPTYCH_TEST_POSTGRES is not set",
    isReal: false,
    async makeDatabase() {
      await db.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP EXTENSION IF EXISTS vector");
      return `postgres://postgres@127.0.0.1:${port}/postgres?max=1`;
    },
    async stop() {
      await server.stop();
      await db.close();
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return listener.addr.port;
}
