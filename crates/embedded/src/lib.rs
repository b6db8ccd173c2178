//! The bundled PostgreSQL engine, run as a killable child process. Confines the WASM runtime.
