//! A web server for a portal, with the headers and the page for missing ones that its `staticwebapp.config.json` asks for.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::Value;

/// Serves until it is dropped.
pub(crate) struct Web {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A site and its settings.
struct Served {
    root: PathBuf,
    settings: Value,
}

impl Web {
    pub(crate) fn serve(root: &Path) -> Self {
        let text = std::fs::read_to_string(root.join("staticwebapp.config.json")).unwrap();
        let served = Served { root: root.to_owned(), settings: serde_json::from_str(&text).unwrap() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // A browser opens connections that it never uses, and closes others early: not the server's trouble.
                let _ = stream.and_then(|stream| served.answer(stream));
            }
        });
        Self { address, is_over, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread; if nobody listens any more it has ended already.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Served {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let (status, file) = match path {
            "favicon.ico" => return stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
            "" => ("200 OK", "index.html"),
            path if self.root.join(path).is_file() => ("200 OK", path),
            _ => ("404 Not Found", self.settings["responseOverrides"]["404"]["rewrite"].as_str().unwrap()),
        };
        let file = file.trim_start_matches('/');
        let body = std::fs::read(self.root.join(file))?;
        let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        head.push_str(&format!("Content-Type: {}\r\n", self.kind(file)));
        for (name, value) in self.settings["globalHeaders"].as_object().unwrap() {
            head.push_str(&format!("{name}: {}\r\n", value.as_str().unwrap()));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(&body)
    }

    fn kind<'a>(&'a self, file: &'a str) -> &'a str {
        let end = Path::new(file).extension().and_then(|end| end.to_str()).unwrap_or_default();
        match end {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css",
            "js" => "text/javascript",
            "svg" => "image/svg+xml",
            other => self.settings["mimeTypes"][format!(".{other}")].as_str().unwrap_or("application/octet-stream"),
        }
    }
}
