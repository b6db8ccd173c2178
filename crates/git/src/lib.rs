//! Changed files, as git tells them. Confines git.
