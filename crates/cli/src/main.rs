//! The command line: arguments, settings, composition, rendering, exit codes.

fn main() {}
