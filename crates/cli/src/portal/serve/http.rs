//! HTTP on a loopback address: the files of the site by their names, and the news that another state is served.
//!
//! Nothing is read from the disk here: an address either is a name of the site or there is nothing. A page of somebody else
//! in the same browser can neither read what is served (it is told to nobody but its own origin), nor pass a name of its own
//! for this machine (only loopback names are answered).

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use trueup_portal::live::{EVENTS, LIVE_POLICY, SCRIPT, SCRIPT_TEXT, STYLE, STYLE_TEXT};

use super::state::State;

/// What the first page is called.
const INDEX: &str = "index.html";

/// A listener that said nothing for so long is told that somebody is there; one that is gone is noticed by that.
const STILL_HERE: Duration = Duration::from_secs(15);

/// A pause when no connection can be taken, such as when there are too many.
const PAUSE: Duration = Duration::from_millis(100);

/// A picture has its colours inside, and nothing else.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// Headers of every answer.
const ALWAYS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Answers everybody who connects.
pub(super) async fn accept(listener: TcpListener, states: watch::Receiver<Arc<State>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let states = states.clone();
        let service = service_fn(move |request| {
            let answer = answer(&request, &states);
            async move { Ok::<_, Infallible>(answer) }
        });
        tokio::spawn(async move {
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // Whoever hangs up, or does not speak HTTP, is no concern of the others.
            let _ = connection.await;
        });
    }
}

/// What is sent back.
#[derive(Debug)]
enum Content {
    Whole(Option<Bytes>),
    News(mpsc::Receiver<Bytes>),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::News(news) => news.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::News(_) => SizeHint::default(),
        }
    }
}

fn answer<B>(request: &Request<B>, states: &watch::Receiver<Arc<State>>) -> Response<Content> {
    if !is_for_us(request) {
        let text = "only this machine is served: ask for localhost, 127.0.0.1 or [::1]\n";
        return plain(StatusCode::MISDIRECTED_REQUEST, text);
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "pages can only be read\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match request.uri().path() {
        EVENTS if request.method() == Method::GET => news(states.clone()),
        EVENTS => response(StatusCode::OK, "text/event-stream", LIVE_POLICY, Bytes::new()),
        SCRIPT => response(StatusCode::OK, media_type(SCRIPT), LIVE_POLICY, SCRIPT_TEXT.into()),
        STYLE => response(StatusCode::OK, media_type(STYLE), LIVE_POLICY, STYLE_TEXT.into()),
        // Browsers ask for it, whatever a page says.
        "/favicon.ico" => plain(StatusCode::NO_CONTENT, ""),
        path => file(path.trim_start_matches('/'), &states.borrow()),
    }
}

/// Whether the address says this machine. A name that somebody else made lead here says something else.
fn is_for_us<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    host.is_some_and(|host| is_loopback(&host)) && request.uri().authority().is_none_or(is_loopback)
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// A file of the site, or what stands where there is none.
fn file(path: &str, state: &State) -> Response<Content> {
    let served = state.served();
    let page = |status, text: String| response(status, media_type(INDEX), LIVE_POLICY, text.into());
    let Some(site) = &state.site else { return page(StatusCode::SERVICE_UNAVAILABLE, served.nothing_yet()) };
    let path = if path.is_empty() { INDEX } else { path };
    match site.files.get(path) {
        None => page(StatusCode::NOT_FOUND, served.missing()),
        Some(bytes) if path.ends_with(".html") => page(StatusCode::OK, served.page(&String::from_utf8_lossy(bytes))),
        Some(bytes) => {
            let policy = if path.ends_with(".svg") { PICTURE_POLICY } else { LIVE_POLICY };
            response(StatusCode::OK, media_type(path), policy, Bytes::copy_from_slice(bytes))
        }
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Content> {
    response(status, media_type(""), LIVE_POLICY, text.into())
}

fn response(status: StatusCode, kind: &'static str, policy: &'static str, bytes: Bytes) -> Response<Content> {
    let length = bytes.len();
    let mut response = with_headers(status, kind, policy, Content::Whole(Some(bytes)));
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}

fn with_headers(status: StatusCode, kind: &'static str, policy: &'static str, content: Content) -> Response<Content> {
    let mut response = Response::new(content);
    *response.status_mut() = status;
    for (name, value) in ALWAYS.into_iter().chain([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, policy)]) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The state that is served, and every other one from now on.
fn news(mut states: watch::Receiver<Arc<State>>) -> Response<Content> {
    let (send, news) = mpsc::channel(4);
    states.mark_changed();
    tokio::spawn(async move {
        // An error means that nobody listens, or that the program ends.
        loop {
            let line = match timeout(STILL_HERE, states.changed()).await {
                Ok(Ok(())) => format!("retry: 500\nevent: state\ndata: {}\n\n", states.borrow_and_update().name),
                Ok(Err(_)) => return,
                Err(_) => ":\n\n".to_owned(),
            };
            if send.send(line.into()).await.is_err() {
                return;
            }
        }
    });
    with_headers(StatusCode::OK, "text/event-stream", LIVE_POLICY, Content::News(news))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(names: &[&str], target: &str) -> bool {
        let mut request = Request::builder().uri(target);
        for name in names {
            request = request.header(HOST, *name);
        }
        is_for_us(&request.body(()).unwrap())
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for name in ["localhost", "LOCALHOST:4000", "127.0.0.1:4000", "127.8.9.1", "[::1]:4000", "[::1]"] {
            assert!(host(&[name], "/"), "{name}");
        }
        for name in [
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org:4000",
            "localhost@example.org",
            "192.168.0.1",
            "0.0.0.0",
            "[::]",
            "",
            "localhost/",
            "evil localhost",
            "127.1",
            "2130706433",
        ] {
            assert!(!host(&[name], "/"), "{name}");
        }
        assert!(!host(&[], "/"), "no name at all");
        assert!(!host(&["localhost", "localhost"], "/"), "two names");
        assert!(!host(&["localhost"], "http://example.org/"), "another name in the address");
        assert!(host(&["localhost"], "http://localhost:4000/"));
    }
}
