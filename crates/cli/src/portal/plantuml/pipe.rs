//! One run of PlantUML for all diagrams: sources go in, pictures come out, and no file is read or written.

use std::io::{ErrorKind, Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Program;
use crate::check::CheckError;
use crate::report::text::{SENTENCE, clean};

/// How long PlantUML may say nothing. One diagram of hundreds of tables takes it a minute.
const SILENCE: Duration = Duration::from_secs(300);

/// What is kept of its complaints, in bytes.
const COMPLAINTS: u64 = 64 << 10;

/// What PlantUML answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// One for each source, in order.
    pub(super) pictures: Vec<Vec<u8>>,
    pub(super) status: ExitStatus,
    complaints: String,
}

impl Answer {
    /// That it failed, in its own words.
    pub(super) fn failed(&self, program: &Program) -> CheckError {
        let message = format!("{} ended with {}{}", program.name, self.status, said(&self.complaints));
        CheckError::Usage { message, help: HELP.to_owned() }
    }
}

/// What can be done when it does not work.
const HELP: &str = "name a PlantUML of 2020 or later after --plantuml, or leave out --erd plantuml";

/// Draws all sources.
///
/// # Errors
/// When the program cannot be run, or does not answer as PlantUML does.
pub(super) fn draw(program: &Program, sources: &[&str]) -> Result<Answer, CheckError> {
    let wrong = |what: String| CheckError::Usage { message: format!("{} {what}", program.name), help: HELP.to_owned() };
    // No source can hold a hash of itself, whatever its author writes.
    let mark = format!("trueup-{}", blake3::hash(sources.concat().as_bytes()).to_hex());
    let aside = tempfile::tempdir().map_err(|error| wrong(format!("has no folder to run in: {error}")))?;
    let mut command = program.start();
    command.args(["-tsvg", "-charset", "UTF-8", "-pipe", "-pipedelimitor", &mark]);
    command.env("PLANTUML_SECURITY_PROFILE", "SANDBOX").current_dir(aside.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| wrong(format!("cannot be started: {error}")))?;
    let output = converse(&mut child, sources.concat().into_bytes());
    let output = output.map_err(|error| {
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
        wrong(error)
    })?;
    let status = child.wait().map_err(|error| wrong(format!("cannot be waited for: {error}")))?;
    let pictures = split(&output.pictures, mark.as_bytes());
    if pictures.len() == sources.len() {
        return Ok(Answer { pictures, status, complaints: output.complaints });
    }
    let (drawn, all) = (pictures.len(), sources.len());
    let said = said(&output.complaints);
    Err(wrong(format!("answers unlike PlantUML: of {all} diagrams it drew {drawn}, and ended with {status}{said}")))
}

struct Output {
    pictures: Vec<u8>,
    complaints: String,
}

/// Writes and reads at the same time, since neither side waits for the other; what went wrong in words.
fn converse(child: &mut Child, text: Vec<u8>) -> Result<Output, String> {
    let (Some(mut input), Some(output), Some(complaints)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("has no pipes".to_owned());
    };
    let writer = thread::spawn(move || input.write_all(&text));
    let complaints = thread::spawn(move || {
        let mut kept = Vec::new();
        let mut rest = complaints.take(COMPLAINTS);
        rest.read_to_end(&mut kept)?;
        // What is too much is read all the same: nobody is to wait for room in the pipe.
        std::io::copy(&mut rest.into_inner(), &mut std::io::sink())?;
        Ok::<_, std::io::Error>(kept)
    });
    let pictures = listen(&reader(output), SILENCE)?;
    match joined(writer)? {
        // It ended before it had read everything: what it did say tells why.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.map_err(|error| format!("cannot be given the diagrams: {error}"))?,
    }
    let complaints = joined(complaints)?.map_err(|error| format!("cannot be listened to: {error}"))?;
    Ok(Output { pictures, complaints: String::from_utf8_lossy(&complaints).into_owned() })
}

fn joined<T>(thread: JoinHandle<T>) -> Result<T, String> {
    thread.join().map_err(|_| "cannot be listened to".to_owned())
}

/// Reads on a thread of its own: reading has no deadline.
fn reader(mut output: impl Read + Send + 'static) -> Receiver<std::io::Result<Vec<u8>>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut room = vec![0; 64 << 10];
        loop {
            let read = output.read(&mut room).map(|bytes| room[..bytes].to_vec());
            let is_last = read.as_ref().map_or(true, Vec::is_empty);
            // Nobody listens any more when it took too long.
            if send.send(read).is_err() || is_last {
                return;
            }
        }
    });
    receive
}

/// Everything that is said, without a longer silence in it.
fn listen(output: &Receiver<std::io::Result<Vec<u8>>>, silence: Duration) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    loop {
        match output.recv_timeout(silence) {
            Ok(Ok(bytes)) if bytes.is_empty() => return Ok(all),
            Ok(Ok(bytes)) => all.extend(bytes),
            Ok(Err(error)) => return Err(format!("cannot be listened to: {error}")),
            Err(RecvTimeoutError::Timeout) => {
                return Err(format!("said nothing for {} seconds, and was ended", silence.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(all),
        }
    }
}

/// Pictures, each of which the mark follows on a line of its own.
fn split(output: &[u8], mark: &[u8]) -> Vec<Vec<u8>> {
    let (mut pictures, mut start, mut at) = (Vec::new(), 0, 0);
    while at + mark.len() <= output.len() {
        if output[at..].starts_with(mark) {
            pictures.push(output[start..at].to_vec());
            at += mark.len();
            start = at;
        } else {
            at += 1;
        }
    }
    pictures
}

/// The first lines of its complaints, as the end of a sentence.
fn said(complaints: &str) -> String {
    let lines: Vec<&str> = complaints.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    if lines.is_empty() { String::new() } else { format!(": {}", clean(&lines.join("; "), SENTENCE)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_end_at_their_marks() {
        let texts = |output: &str| {
            let pictures = split(output.as_bytes(), b"MARK").into_iter();
            pictures.map(|picture| String::from_utf8(picture).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(texts("<svg>1</svg>MARK\n<svg>2</svg>MARK\r\n"), ["<svg>1</svg>", "\n<svg>2</svg>"]);
        assert_eq!(texts("MARK\nMARK\n"), ["", "\n"]);
        assert_eq!(texts("<svg>MAR"), Vec::<String>::new());
    }

    #[test]
    fn a_program_that_says_nothing_more_is_not_waited_for() {
        let (kept_open, output) = std::io::pipe().map(|(read, write)| (write, read)).unwrap();
        let mut write = kept_open.try_clone().unwrap();
        write.write_all(b"<svg>").unwrap();
        let refused = listen(&reader(output), Duration::from_millis(50)).unwrap_err();
        assert_eq!(refused, "said nothing for 0 seconds, and was ended");
        let (output, write) = std::io::pipe().unwrap();
        drop(write);
        assert_eq!(listen(&reader(output), SILENCE).unwrap(), b"");
        drop(kept_open);
    }
}
