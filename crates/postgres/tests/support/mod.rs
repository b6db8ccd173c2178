//! A throw-away server for the tests of this crate: started once per test binary, gone with it.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(missing_docs, reason = "test support")]

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trueup_postgres::session::{Endpoint, Session};

pub(crate) const BIN: &str = "/usr/lib/postgresql/15/bin";

/// Keeps the server running: it stops when this process's end of the pipe closes.
pub(crate) struct Server {
    pub(crate) dir: PathBuf,
    port: u16,
    _shell: Child,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

const RUN: &str = r#"
dir=$1; bin=$2
"$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || exit 1
echo "host all scram 127.0.0.1/32 scram-sha-256
host all md5 127.0.0.1/32 md5
local all all trust
host all all 127.0.0.1/32 trust" >"$dir/data/pg_hba.conf"
"$bin/postgres" -D "$dir/data" -k "$dir" -p "$3" -c listen_addresses="$4" -c fsync=off -c full_page_writes=off \
  -c synchronous_commit=off -c max_prepared_transactions=4 -c max_connections=50 </dev/null >>"$dir/log" 2>&1 &
pid=$!
read _
kill -QUIT $pid; wait $pid; rm -rf "$dir"
"#;

pub(crate) fn server() -> &'static Server {
    SERVER.get_or_init(|| Server::start(5432))
}

impl Server {
    /// Listens on TCP too when `port` is not 5432.
    pub(crate) fn start(port: u16) -> Self {
        let addresses = if port == 5432 { "" } else { "127.0.0.1" };
        let dir = tempfile::Builder::new().prefix("trueup-replay-").tempdir().expect("temporary directory").keep();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", RUN, "sh"])
            .arg(&dir)
            .args([BIN, &port.to_string(), addresses])
            .stdin(Stdio::piped())
            .current_dir(&dir);
        if nix::unistd::geteuid().is_root() {
            let nobody = nix::unistd::User::from_name("nobody").expect("users").expect("nobody");
            chown(&dir, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).expect("chown");
            shell.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        }
        let server = Self { _shell: shell.spawn().expect("sh"), dir, port };
        server.wait();
        server
    }

    /// On a thread of its own: the caller is inside a runtime already.
    fn wait(&self) {
        let endpoint = self.superuser("postgres");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
                runtime.block_on(async {
                    for _ in 0..600 {
                        if let Ok(session) = Session::connect(&endpoint).await {
                            return session.close().await;
                        }
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    panic!("no server: {}", std::fs::read_to_string(self.dir.join("log")).unwrap_or_default());
                });
            });
        });
    }

    pub(crate) fn superuser(&self, dbname: &str) -> Endpoint {
        Endpoint::socket(&self.dir, self.port, "postgres", dbname)
    }

    /// A database of its own for one test, owned by the plain role `app` of this database.
    pub(crate) async fn database(&self) -> Database {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        self.named(&format!("d{}_{n}", std::process::id()), "").await
    }

    pub(crate) async fn named(&self, name: &str, with: &str) -> Database {
        let owner = format!("app_{name}");
        let mut admin = Session::connect(&self.superuser("postgres")).await.expect("superuser");
        run(&mut admin, &format!("CREATE ROLE {owner} LOGIN")).await;
        run(&mut admin, &format!("CREATE DATABASE {name} OWNER {owner} {with}")).await;
        admin.close().await;
        Database { owner: Endpoint::socket(&self.dir, self.port, owner, name), admin: self.superuser(name) }
    }
}

pub(crate) struct Database {
    pub(crate) owner: Endpoint,
    pub(crate) admin: Endpoint,
}

impl Database {
    pub(crate) async fn connect(&self) -> Session {
        Session::connect(&self.owner).await.expect("owner")
    }

    /// One column of a query's rows, as text, joined with spaces; asked on a connection of its own.
    pub(crate) async fn ask(&self, sql: &str) -> String {
        let mut session = Session::connect(&self.admin).await.expect("superuser");
        let outcome = session.query(sql).await.expect(sql);
        assert_eq!(outcome.error, None, "{sql}");
        session.close().await;
        let cells = outcome.rows.into_iter().map(|row| row[0].clone().unwrap_or_default());
        cells.collect::<Vec<_>>().join(" ")
    }

    /// The tables of the schema `public`, sorted.
    pub(crate) async fn tables(&self) -> String {
        self.ask("SELECT relname FROM pg_class WHERE relkind='r' AND relnamespace='public'::regnamespace ORDER BY 1")
            .await
    }
}

pub(crate) async fn run(session: &mut Session, sql: &str) {
    let outcome = session.query(sql).await.expect(sql);
    assert_eq!(outcome.error, None, "{sql}");
}

/// The corpora to run against, or none, said aloud.
pub(crate) fn corpora() -> Option<PathBuf> {
    let shared = std::env::var_os("TRUEUP_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let worktree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let found = shared.into_iter().chain([beside, worktree]).map(|dir| dir.join("corpora")).find(|dir| dir.is_dir());
    if found.is_none() {
        trueup_testkit::skipped("no corpora found beside the repository; set TRUEUP_SHARED");
    }
    found
}
