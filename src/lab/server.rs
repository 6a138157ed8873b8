//! Sockets: one thread accepts for all addresses, one thread serves each connection.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustls::{ServerConnection, StreamOwned};

use super::LabError;
use super::calls::{self, Outcome};
use super::faults::FaultKind;
use super::http::{self, Response};
use super::wire;
use super::world::Shared;

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(60);
/// The stack of a thread that serves: calls are shallow.
const STACK: usize = 512 * 1024;

/// The sockets of a lab, until they are closed.
pub(super) struct Server {
    wake: UnixStream,
    acceptor: Option<JoinHandle<()>>,
    open: Arc<Open>,
}

/// The connections that are open now, to end them with the lab.
#[derive(Default)]
struct Open {
    next: AtomicU64,
    streams: Mutex<HashMap<u64, TcpStream>>,
}

impl Open {
    fn streams(&self) -> std::sync::MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts to accept. Listener N is host N's.
pub(super) fn start(shared: &Arc<Shared>, listeners: Vec<TcpListener>) -> Result<Server, LabError> {
    let failed = |source| LabError::Socket { address: "the lab's own wake-up".to_owned(), source };
    let (wake, woken) = UnixStream::pair().map_err(failed)?;
    for listener in &listeners {
        listener.set_nonblocking(true).map_err(failed)?;
    }
    let open = Arc::new(Open::default());
    let (shared, kept) = (Arc::clone(shared), Arc::clone(&open));
    let acceptor = std::thread::Builder::new()
        .name("lab".to_owned())
        .stack_size(STACK)
        .spawn(move || accept(&shared, &listeners, &woken, &kept))
        .map_err(failed)?;
    Ok(Server { wake, acceptor: Some(acceptor), open })
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing the other end wakes the acceptor; it sees that the lab has stopped.
        let _ = self.wake.write_all(b"x");
        let _ = self.wake.shutdown(Shutdown::Both);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in self.open.streams().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(shared: &Arc<Shared>, listeners: &[TcpListener], woken: &UnixStream, open: &Arc<Open>) {
    let mut watched: Vec<PollFd<'_>> =
        listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)).collect();
    watched.push(PollFd::new(woken, PollFlags::IN));
    while !shared.is_stopped() {
        if poll(&mut watched, None).is_err() {
            continue;
        }
        for (host, listener) in listeners.iter().enumerate() {
            if watched[host].revents().is_empty() {
                continue;
            }
            while let Ok((stream, _)) = listener.accept() {
                serve(shared, host, stream, open);
            }
        }
    }
}

/// Serves a connection in a thread of its own. What cannot be set up is closed, as a busy server would.
fn serve(shared: &Arc<Shared>, host: usize, stream: TcpStream, open: &Arc<Open>) {
    let Ok(twin) = stream.try_clone() else { return };
    let number = open.next.fetch_add(1, Ordering::Relaxed);
    open.streams().insert(number, twin);
    let (shared, kept) = (Arc::clone(shared), Arc::clone(open));
    let spawned = std::thread::Builder::new().name("lab-call".to_owned()).stack_size(STACK).spawn(move || {
        // An end of the connection is no error here: the client sees it.
        let _ = connection(&shared, host, &stream);
        let _ = stream.shutdown(Shutdown::Both);
        kept.streams().remove(&number);
    });
    if spawned.is_err() {
        open.streams().remove(&number);
    }
}

fn connection(shared: &Arc<Shared>, host: usize, stream: &TcpStream) -> std::io::Result<()> {
    let config = {
        let world = shared.world();
        let host = &world.hosts[host];
        if host.phase.is_down() {
            return Ok(());
        }
        Arc::clone(&host.identity.config)
    };
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE))?;
    let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut secure = StreamOwned::new(session, stream);
    let mut buffer = Vec::new();
    loop {
        let Some(request) = http::read(&mut secure, &mut buffer)? else { return Ok(()) };
        if shared.world().hosts[host].phase.is_down() {
            return Ok(());
        }
        let Some((response, cut)) = respond(shared, host, &request) else { return Ok(()) };
        let bytes = response.bytes();
        if cut {
            secure.write_all(&bytes[..bytes.len() - response.body.len() / 2 - 1])?;
            return secure.flush();
        }
        secure.write_all(&bytes)?;
        secure.flush()?;
        if !response.keep {
            // A clean end, and what the client still sends is read so that it sees the answer and not a reset.
            secure.conn.send_close_notify();
            secure.flush()?;
            stream.shutdown(Shutdown::Write)?;
            let _ = secure.sock.read(&mut [0; 512]);
            return Ok(());
        }
    }
}

/// The response to a request, and whether it is cut short; none ends the connection.
fn respond(shared: &Arc<Shared>, host: usize, request: &http::Request) -> Option<(Response, bool)> {
    let line = shared.world().hosts[host].line;
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/jsonrpc") if !line.speaks_json() => {}
        ("POST", "/" | "/RPC2" | "/jsonrpc" | "/json") => return call(shared, host, request),
        ("OPTIONS", _) => {
            let headers = vec![
                ("Access-Control-Allow-Origin", "*".to_owned()),
                ("Access-Control-Allow-Headers", "X-Requested-With".to_owned()),
                ("Access-Control-Allow-Methods", "PUT".to_owned()),
            ];
            return Some((Response { status: "200 OK", headers, body: String::new(), keep: request.keep }, false));
        }
        ("PUT", _) => {
            let body =
                "<html><body><h1>HTTP 501 Method Not Implemented</h1><p>PUT not supported.<br /></p></body></html>";
            return Some((Response::page("501 Method not implemented", body.to_owned()), false));
        }
        _ => {}
    }
    let body = "<html><body><h1>HTTP 403 forbidden</h1>Access to the requested resource is forbidden.</body></html>"
        .to_owned();
    Some((Response::page("403 Forbidden", body), false))
}

fn call(shared: &Arc<Shared>, host: usize, request: &http::Request) -> Option<(Response, bool)> {
    let call = match wire::decode(&request.path, &request.body) {
        Ok(call) => call,
        Err(malformed) => return Some((Response::broken(&malformed), false)),
    };
    let (name, faults) = {
        let mut world = shared.world();
        let (name, phase) = (world.hosts[host].name.clone(), world.hosts[host].phase);
        let faults = world.faults.at_call(&name, &call.method, phase);
        (name, faults)
    };
    calls::note(shared, &name, &call.method, false);
    let mut refused = None;
    for fault in &faults {
        match fault {
            FaultKind::Slow(time) => {
                shared.sleep(*time);
            }
            FaultKind::Hang => {
                shared.sleep(Duration::from_secs(3600));
                return None;
            }
            FaultKind::Reset => return None,
            FaultKind::Html500 => {
                return Some((Response::broken("Unix.Unix_error(Unix.ECONNREFUSED, \"connect\", \"\")"), false));
            }
            FaultKind::Error(error) => refused = Some(error.clone()),
            FaultKind::SessionLost => calls::end_sessions(shared, host),
            FaultKind::SwapCertificate => calls::swap_certificate(shared, host),
            FaultKind::ChangeCoordinator => calls::change_coordinator(shared, host),
            _ => {}
        }
    }
    let outcome = match refused {
        Some(error) => Outcome::Answer(Err(error)),
        None => calls::dispatch(shared, host, &call.method, &call.params),
    };
    if faults.contains(&FaultKind::LoseAnswer) {
        return None;
    }
    let body = match outcome {
        Outcome::Answer(Ok(mut value)) => {
            if faults.contains(&FaultKind::WrongTypes) {
                calls::twist(&mut value);
            }
            wire::encode(&call.form, &call.method, &Ok(value))
        }
        Outcome::Answer(error) => wire::encode(&call.form, &call.method, &error),
        Outcome::Outside(error) => wire::encode_outside(&call.form, &error),
        Outcome::Drop => return None,
    };
    let mut response = Response::answer(wire::content_type(&call.form), body, request.keep);
    if request.thumbprint.as_deref() == Some("sha-256:master") && response.body.contains("HOST_IS_SLAVE") {
        let world = shared.world();
        if let Some(coordinator) = world.coordinator_of(host) {
            let print = world.hosts[coordinator].identity.fingerprint.clone();
            response.headers.push(("x-xenapi-response-host-certificate-thumbprint", print));
        }
    }
    Some((response, faults.contains(&FaultKind::Truncate)))
}
