//! A bucket and a database that go away while the server runs, and come back. What needs them is refused in a sentence
//! that asks to try again, and served when they are back, by the same process.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use boltseal_model::Digest;
use boltseal_testkit::{Postgres, S3, postgres};

use super::{Answer, BYTES, Server, manifest_of, noise, odd};
use crate::{
    binary::User,
    service::{PATIENCE, Service},
};

/// A server's door that can be shut, with whoever is inside: its address refuses connections then.
struct Door {
    port: u16,
    inner: u16,
    open: Option<Open>,
}

struct Open {
    shut: Arc<AtomicBool>,
    through: Arc<Mutex<Vec<TcpStream>>>,
    thread: thread::JoinHandle<()>,
}

impl Door {
    /// Before what listens at `inner`.
    fn before(inner: u16) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut this = Self { port, inner, open: None };
        this.open();
        this
    }

    fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        let (shut, through) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (ended, inside, inner) = (Arc::clone(&shut), Arc::clone(&through), self.inner);
        let thread = thread::spawn(move || {
            for outer in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(other) = TcpStream::connect(("127.0.0.1", inner)) else { continue };
                let copies = [&outer, &other].map(|stream| stream.try_clone().unwrap());
                inside.lock().unwrap().extend(copies);
                for (mut from, mut to) in
                    [(outer.try_clone().unwrap(), other.try_clone().unwrap()), (other, outer)]
                {
                    thread::spawn(move || {
                        let _either_end_closed = copy(&mut from, &mut to);
                        let _the_other_hears_of_it = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        self.open = Some(Open { shut, through, thread });
    }

    fn shut(&mut self) {
        let Some(open) = self.open.take() else { return };
        open.shut.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(("127.0.0.1", self.port));
        open.thread.join().unwrap();
        for stream in open.through.lock().unwrap().drain(..) {
            let _closed_already = stream.shutdown(Shutdown::Both);
        }
    }
}

fn copy(from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(()),
            read => to.write_all(&piece[..read])?,
        }
    }
}

/// `boltseal serve` over a database and a bucket.
fn serve(database: &str, bucket: &S3, address: &str, keys: &Path) -> Server {
    let user = User::new();
    std::fs::create_dir_all(user.data()).unwrap();
    std::fs::write(user.data().join("policy.yaml"), "version: 1\nname: faults\nrules: []\n").unwrap();
    let keys = keys.to_string_lossy().into_owned();
    let fixed = ["serve", "--listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0", "--keys", &keys];
    let mut command = user.command(&fixed);
    command.env("BOLTSEAL_DATABASE", database).env("BOLTSEAL_BLOBS", address).envs(bucket.environment());
    let service = Service::run(&user, command);
    Server::of(user, service)
}

impl Answer {
    /// The same, asking to try again later.
    #[track_caller]
    fn asks_to_try_again(self) -> Self {
        let answer = self.is(503).says_why();
        assert!(
            answer.text().contains("UNAVAILABLE") && answer.text().contains("try again"),
            "{}",
            answer.text()
        );
        assert!(
            answer.header("retry-after").is_some_and(|text| text.parse::<u32>().is_ok()),
            "{}",
            answer.head
        );
        answer
    }
}

/// Asks until the answer is `wanted`: connections are made anew one after the other.
#[track_caller]
fn until(wanted: u16, ask: impl Fn() -> Answer) -> Answer {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if answer.status == wanted {
            return answer;
        }
        assert!(Instant::now() < end, "still {}: {}", answer.status, answer.text());
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_bucket_that_does_not_answer() {
    let (Some(postgres), Some(bucket)) = (postgres(), S3::start()) else { return };
    let mut door = Door::before(bucket.port());
    let address = bucket.address().replace(&bucket.port().to_string(), &door.port.to_string());
    let keys = tempfile::tempdir().unwrap();
    let server = serve(&postgres.database(), &bucket, &address, keys.path());

    let (config, layer) = (b"{}", noise(1, 3 << 20));
    server.blob("away/app", config).is(201);
    server.blob("away/app", &layer).is(201);
    server.manifest("away/app", "v1", &manifest_of(config, "")).is(201);
    let session = server.session("away/app");
    server.ask("PATCH", &session, &[BYTES], &layer).is(202);
    let more = noise(2, 100_000);
    let whole = [layer.clone(), more.clone()].concat();
    let end = format!("{session}?digest={}", Digest::of(&whole));
    let path = format!("/v2/away/app/blobs/{}", Digest::of(&layer));

    door.shut();
    thread::scope(|scope| {
        let server = &server;
        scope.spawn(|| server.ask("GET", &path, &[], b"").asks_to_try_again());
        scope.spawn(|| server.blob("away/app", &noise(3, 100_000)).asks_to_try_again());
        scope.spawn(|| {
            server.manifest("away/app", "v2", &manifest_of(config, r#","a":1"#)).asks_to_try_again()
        });
        scope.spawn(|| server.ask("PUT", &end, &[BYTES], &more).asks_to_try_again());
        // Nothing of this is in the bucket.
        let tags = server.ask("GET", "/v2/away/app/tags/list", &[], b"").is(200).text();
        assert!(tags.contains(r#"["v1"]"#), "{tags}");
        server.ask("HEAD", &path, &[], b"").is(200);
    });

    door.open();
    server.has("away/app", &layer);
    server.ask("PUT", &end, &[BYTES], &more).is(201);
    server.has("away/app", &whole);
    server.manifest("away/app", "v2", &manifest_of(config, r#","a":1"#)).is(201);
    server.is_well(250);
}

#[test]
fn a_database_that_does_not_answer() {
    if postgres().is_none() {
        return;
    }
    let Some(bucket) = S3::start() else { return };
    let (postgres, keys) = (Postgres::start_own(), tempfile::tempdir().unwrap());
    let server = serve(&postgres.database(), &bucket, &bucket.address(), keys.path());
    let (config, layer) = (b"{}", noise(1, 200_000));
    server.blob("away/app", config).is(201);
    server.blob("away/app", &layer).is(201);
    let manifest = manifest_of(config, "");
    server.manifest("away/app", "v1", &manifest).is(201);
    let pull = || server.ask("GET", "/v2/away/app/manifests/v1", &[], b"");
    until(200, pull);

    postgres.crash();
    thread::scope(|scope| {
        let server = &server;
        scope.spawn(|| server.ask("GET", "/v2/away/app/tags/list", &[], b"").asks_to_try_again());
        scope.spawn(|| server.blob("away/app", &noise(3, 1000)).asks_to_try_again());
        scope.spawn(|| server.ask("POST", "/v2/away/app/blobs/uploads/", &[], b"").asks_to_try_again());
        scope.spawn(|| pull().asks_to_try_again());
    });
    postgres.resume();

    assert_eq!(until(200, pull).body, manifest);
    until(201, || server.blob("away/app", &noise(3, 1000)));
    server.has("away/app", &layer);
    server.is_well(250);
}

#[test]
fn nul_in_texts_of_postgresql() {
    let (Some(postgres), Some(bucket)) = (postgres(), S3::start()) else { return };
    let keys = tempfile::tempdir().unwrap();
    let server = serve(&postgres.database(), &bucket, &bucket.address(), keys.path());
    odd::nul(&server);
}
