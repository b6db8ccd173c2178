//! Servers of every major, and other real parts, for the tests.
