//! Whether a container is well: programs in it, and requests to it from within its own network, which nobody else can see.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::{AsFd as _, OwnedFd},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use boltseal_orchestrator::aci::{Probe, Tries};
use boltseal_runtime::start::{self, Join, Started};
use boltseal_wire::client::{self as wire, Client, Method, Options, Proxies, Request};

use super::{
    confine::ROLE,
    container::{self, Contained},
    engine::Inner,
    group::Group,
};
use crate::network::enter;

/// Bytes of an answer that are read: its first line is enough.
const MAX_ANSWER: usize = 1_024;

/// Probes it as long as it runs; comes back when it is to be started anew.
pub async fn both(inner: &Arc<Inner>, group: &Arc<Group>, one: &Arc<Contained>, started: Started) {
    let live = async {
        let Some(probe) = &one.probes.liveness else { return std::future::pending().await };
        let mut failed = 0;
        tokio::time::sleep(seconds(probe.delay)).await;
        loop {
            failed = if passes(inner, group, one, started, probe).await { 0 } else { failed + 1 };
            if failed >= probe.failures {
                let _ = inner.tell("container.unwell", group, one, &[("failed", failed.to_string())]).await;
                return;
            }
            tokio::time::sleep(seconds(probe.period)).await;
        }
    };
    let ready = async {
        let Some(probe) = &one.probes.readiness else { return std::future::pending::<()>().await };
        let (mut passed, mut failed) = (0_u32, 0_u32);
        tokio::time::sleep(seconds(probe.delay)).await;
        loop {
            if passes(inner, group, one, started, probe).await {
                (passed, failed) = (passed.saturating_add(1), 0);
            } else {
                (passed, failed) = (0, failed.saturating_add(1));
            }
            if passed >= probe.successes {
                one.seen().ready = true;
            } else if failed >= probe.failures {
                one.seen().ready = false;
            }
            tokio::time::sleep(seconds(probe.period)).await;
        }
    };
    tokio::select! { () = live => {}, () = ready => {} }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(u64::from(number))
}

async fn passes(
    inner: &Arc<Inner>,
    group: &Arc<Group>,
    one: &Arc<Contained>,
    started: Started,
    probe: &Probe,
) -> bool {
    let timeout = seconds(probe.timeout);
    match &probe.tries {
        Tries::Exec(command) => {
            let join = Join {
                id: container::id(group, one),
                state: group.places.state.clone(),
                first: started,
                command: command.clone(),
                env: Vec::new(),
                folder: None,
                user: None,
                terminal: None,
            };
            exec(inner, join, timeout).await
        }
        Tries::Http { port, path, headers, tls } => {
            let network = group.network.lock().ok().and_then(|network| {
                network.as_ref().and_then(|(namespace, _)| namespace.as_fd().try_clone_to_owned().ok())
            });
            let Some(network) = network else { return false };
            let (port, path, headers, tls) = (*port, path.clone(), headers.clone(), *tls);
            let http = if tls { https } else { http };
            let asked = tokio::task::spawn_blocking(move || {
                // Entering a network is for good, so the thread that does it ends afterwards.
                std::thread::scope(|scope| {
                    scope.spawn(|| http(&network, port, &path, &headers, timeout)).join().unwrap_or(None)
                })
            });
            matches!(asked.await, Ok(Some(200..=399)))
        }
    }
}

async fn exec(inner: &Arc<Inner>, join: Join, timeout: Duration) -> bool {
    let Ok(mut asked) = tempfile::NamedTempFile::new_in(&inner.settings.run) else { return false };
    let written = serde_json::to_vec(&start::Request::Join(join)).map(|text| asked.write_all(&text));
    if !matches!(written, Ok(Ok(()))) {
        return false;
    }
    let child = tokio::process::Command::new(&inner.settings.program)
        .arg(ROLE)
        .arg(asked.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What it started in the container ends with it.
        .kill_on_drop(true)
        .spawn();
    let Ok(mut child) = child else { return false };
    matches!(tokio::time::timeout(timeout, child.wait()).await, Ok(Ok(ended)) if ended.success())
}

/// The status that is answered by TLS, whatever the certificate says: nobody else can listen there. A redirect is an answer.
fn https(
    network: &OwnedFd,
    port: u16,
    path: &str,
    headers: &[(String, String)],
    timeout: Duration,
) -> Option<u16> {
    enter(network.as_fd()).ok()?;
    let options = Options {
        connect: timeout,
        total: timeout,
        redirects: 0,
        any_certificate: true,
        proxies: Proxies::of(|_| None),
        ..Options::default()
    };
    let url = format!("https://127.0.0.1:{port}/{}", path.trim_start_matches('/'));
    let request = Request::new(Method::Get, &url).ok()?.header("User-Agent", "boltseal-probe");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_str()));
    match Client::new(&options).and_then(|client| client.send(request)) {
        Ok(response) => Some(response.status()),
        Err(wire::Error::Redirects { .. }) => Some(302),
        Err(_) => None,
    }
}

/// The status that is answered.
fn http(
    network: &OwnedFd,
    port: u16,
    path: &str,
    headers: &[(String, String)],
    timeout: Duration,
) -> Option<u16> {
    enter(network.as_fd()).ok()?;
    // One deadline for all of it: an answer that comes byte by byte is none.
    let deadline = Instant::now() + timeout;
    let left = || deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, timeout).ok()?;
    stream.set_write_timeout(Some(left()?)).ok()?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nUser-Agent: boltseal-probe\r\n"
    );
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    if !plain(&path) || headers.iter().any(|(name, value)| !plain(name) || !plain(value)) {
        return None;
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut chunk = [0; 256];
    while !answer.contains(&b'\n') && answer.len() < MAX_ANSWER {
        stream.set_read_timeout(Some(left()?)).ok()?;
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(chunk.get(..read)?),
        }
    }
    let line = String::from_utf8_lossy(&answer);
    let mut words = line.split_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}
