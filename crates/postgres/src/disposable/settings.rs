//! The settings of a disposable server.

/// `postgresql.conf` for a server of this major version.
pub(super) fn settings(major: u16) -> String {
    // From 18 on three processes would wait for asynchronous reads that a cluster in memory never makes.
    let reads = if major >= 18 { "io_method = sync\n" } else { "" };
    format!("{SETTINGS}{reads}")
}

/// What all majors share. Nothing here survives a crash of the machine, and nothing needs to.
const SETTINGS: &str = "\
# Reached through the Unix socket only, in a directory of mode 0700.
listen_addresses = ''
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
# The data is worth nothing when the machine goes down.
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
wal_init_zero = off
min_wal_size = 2MB
max_wal_size = 64MB
checkpoint_timeout = 1d
# Small and quiet: no helper processes, no planner tricks that take longer than they save.
shared_buffers = 16MB
dynamic_shared_memory_type = mmap
huge_pages = off
max_connections = 64
max_locks_per_transaction = 256
autovacuum = off
jit = off
bgwriter_lru_maxpages = 0
max_worker_processes = 0
max_parallel_workers = 0
max_logical_replication_workers = 0
max_prepared_transactions = 0
# Hostile SQL cannot raise this one.
temp_file_limit = 1GB
# What SQL provokes is reported to the client; the log is for why the server ended.
log_min_messages = fatal
log_min_error_statement = panic
logging_collector = off
# As production has it, and the same everywhere.
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
default_text_search_config = 'pg_catalog.english'
";

/// `pg_hba.conf`. Everybody proves a password, the superuser too: what can reach the socket from inside a
/// session (`dblink`, a foreign server) is not anybody by that.
pub(super) const HBA: &str = "local all all scram-sha-256\n";
