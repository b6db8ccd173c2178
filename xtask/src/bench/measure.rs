//! One process from start to end: wall time, CPU time, peak memory.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// From before its start to after its end.
    pub(super) wall: Duration,
    /// User and system time, of it and of all its children that were waited for.
    pub(super) cpu: Duration,
    /// Peak resident memory of the process itself, in bytes; zero where there is no `/proc`.
    pub(super) memory: u64,
    /// Its exit code.
    pub(super) code: Option<i32>,
}

/// Runs the command to its end, its output thrown away.
pub(super) fn measure(command: &mut Command) -> Result<Measured, String> {
    let failed = |error: std::io::Error| format!("{error}");
    let before = children_cpu()?;
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)?;
    let watch = std::thread::spawn({
        let pid = child.id();
        move || peak_memory(pid)
    });
    let status = wait(&mut child)?;
    let wall = start.elapsed();
    let memory = watch.join().map_err(|_| "the memory was not watched".to_owned())?;
    Ok(Measured { wall, cpu: children_cpu()?.saturating_sub(before), memory, code: status })
}

fn wait(child: &mut Child) -> Result<Option<i32>, String> {
    Ok(child.wait().map_err(|error| error.to_string())?.code())
}

/// The peak that the kernel keeps itself (`VmHWM`), read until the process is gone: what it needs in its very last
/// milliseconds is missed.
fn peak_memory(pid: u32) -> u64 {
    let mut peak = 0;
    while let Some(now) = high_water_mark(pid) {
        peak = now;
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

fn children_cpu() -> Result<Duration, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or_default())
}

/// The run in the middle by wall time, with the largest memory of all.
pub(super) fn median(mut all: Vec<Measured>) -> Measured {
    all.sort_by_key(|one| one.wall);
    let memory = all.iter().map(|one| one.memory).max().unwrap_or_default();
    Measured { memory, ..all[all.len() / 2] }
}

/// The fastest run, with the largest memory of all.
pub(super) fn best(mut all: Vec<Measured>) -> Measured {
    all.sort_by_key(|one| one.wall);
    let memory = all.iter().map(|one| one.memory).max().unwrap_or_default();
    Measured { memory, ..all[0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_measured() {
        let measured = measure(Command::new("sh").args(["-c", "sleep 0.05; exit 3"])).expect("sh");
        assert_eq!(measured.code, Some(3));
        assert!(measured.wall >= Duration::from_millis(50));
        assert!(!cfg!(target_os = "linux") || measured.memory > 100 << 10, "{measured:?}");
    }

    #[test]
    fn the_middle_by_time_and_the_most_memory() {
        let one = |wall, memory| Measured { wall: Duration::from_secs(wall), cpu: Duration::ZERO, memory, code: None };
        let middle = median(vec![one(9, 1), one(1, 7), one(5, 2)]);
        assert_eq!((middle.wall.as_secs(), middle.memory), (5, 7));
        let first = best(vec![one(9, 1), one(1, 0), one(5, 7)]);
        assert_eq!((first.wall.as_secs(), first.memory), (1, 7));
    }
}
