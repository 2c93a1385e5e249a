//! The agent beside a real Docker engine, and beside a real server.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use boltseal_testkit::{image::index, peer, shared, skip};

use crate::{
    binary::User,
    fixtures::{alpine_image, current_feeds, layout},
    login::as_admin,
    service::{PATIENCE, Service, Skopeo},
};

const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";
/// What nothing passes.
const STRICT: &str = "\
version: 1
name: none-of-these
rules:
  - name: no-apk
    effect: deny
    packages: { ban: [{ purl: 'pkg:apk/alpine/busybox' }] }
";

/// A process that is ended with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // An engine ends its own containerd only when it is told to end.
        let _gone = Command::new("kill").args(["-s", "TERM", &self.0.id().to_string()]).status();
        let told = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && told.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _it_ended_just_now = self.0.kill();
        let _it_is_reaped = self.0.wait();
    }
}

/// An engine of our own.
pub struct Engine {
    running: Running,
    folder: PathBuf,
    docker: PathBuf,
}

impl Engine {
    /// One that asks the plugin `plugin`.
    pub fn start(folder: &Path, plugin: &str) -> Option<Self> {
        std::fs::write(folder.join("none.json"), "{}").unwrap();
        Self::with(folder, &folder.join("none.json"), &["--authorization-plugin", plugin])
    }

    /// Without a network of its own, since that would change the machine's. `None` where engines cannot run.
    pub fn with(folder: &Path, config: &Path, more: &[&str]) -> Option<Self> {
        let (dockerd, docker) = (peer("dockerd")?, peer("docker")?);
        let path = |name: &str| folder.join(name).display().to_string();
        let log = File::create(path("log")).unwrap();
        let mut command = Command::new(dockerd);
        command
            .args(["--data-root", &path("data"), "--exec-root", &path("run"), "--pidfile", &path("pid")])
            .args(["--host", &format!("unix://{}", path("socket"))])
            .arg("--config-file")
            .arg(config)
            .args(more)
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .args(["--ip-masq=false", "--storage-driver=vfs"])
            .env("HOME", folder)
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let running = Running(command.spawn().unwrap());
        let mut engine = Self { running, folder: folder.to_owned(), docker };
        let started = Instant::now();
        while engine.ask(&["info"]).is_err() {
            let ended = engine.running.0.try_wait().unwrap().is_some();
            if ended || started.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
                skip(&format!("dockerd cannot run here: {}", log.lines().last().unwrap_or_default()));
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(engine)
    }

    /// What the command line prints, or what it complains about.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.output(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// How it ends, with all that it says, wherever.
    pub fn ends(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.output(arguments);
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&all).into_owned())
    }

    fn output(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(&self.docker)
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", self.folder.join("socket").display()))
            .env("DOCKER_CONFIG", self.folder.join("config"))
            .env("HOME", &self.folder)
            .output()
            .unwrap()
    }

    #[track_caller]
    pub fn must(&self, arguments: &[&str]) -> String {
        self.ask(arguments).unwrap_or_else(|said| panic!("{arguments:?}: {said}"))
    }

    /// Asks for what is refused, for a reason that has these words.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], words: &[&str]) {
        let said = self.ask(arguments).expect_err("it was allowed");
        assert!(said.contains("authorization denied by plugin"), "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: no `{word}` in {said}");
        }
    }
}

/// The agent, ready. Engines look for plugins in one folder of the machine.
pub fn agent(user: &User, service: &Service, folder: &Path, plugin: &str) -> Running {
    let secret = user.run(&["sp", "create", "node-1"]).ended(0).value("secret");
    user.run(&["role", "assign", "Node Agent", "--to", "node-1", "--scope", "/"]).ended(0);
    let file = user.write("node.secret", secret);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let settings = user.write("agent.yaml", "version: 1\nopenings: [network=host]\n");
    let socket = format!("/run/docker/plugins/{plugin}.sock");
    let mut command = user.command(&["agent", "--server", &format!("https://{}", service.https)]);
    command
        .args(["--name", "node-1", "--secret-file", &file, "--settings", &settings, "--host", "node-1"])
        .args(["--docker-plugin", &socket, "--docker-engine"])
        .arg(folder.join("socket"))
        .stderr(File::create(user.home().join("agent.log")).unwrap());
    let running = Running(command.spawn().unwrap());
    let began = Instant::now();
    while !Path::new(&socket).exists() {
        let log = std::fs::read_to_string(user.home().join("agent.log")).unwrap();
        assert!(began.elapsed() < PATIENCE, "no plugin: {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

#[test]
fn docker_runs_what_the_server_approved() {
    let Some(archive) = shared("data/fixtures/images/alpine-311-docker-archive.tar.gz") else { return };
    let user = User::new();
    std::fs::create_dir_all(user.data()).unwrap();
    std::fs::write(user.data().join("policy.yaml"), LENIENT).unwrap();
    let mut service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    let secret = service.printed("secret").unwrap();
    let address = format!("https://{}", service.https);
    user.feed(&["login", &address, "--name", "admin", "--secret-stdin"], &secret).ended(0);
    // Short, as a socket's path may have 107 characters only.
    let folder = tempfile::Builder::new().prefix("dkr").tempdir_in("/tmp").unwrap();
    let plugin = format!("boltseal-test-{}", std::process::id());
    let _agent = agent(&user, &service, folder.path(), &plugin);
    let Some(engine) = Engine::start(folder.path(), &plugin) else { return };

    // What nobody judged does not run, whatever it is called.
    let tar = user.home().join("alpine.tar");
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(File::open(archive).unwrap()), &mut plain)
        .unwrap();
    std::fs::write(&tar, plain).unwrap();
    let loaded = engine.must(&["load", "--input", &tar.display().to_string()]);
    let name = loaded.rsplit(' ').next().unwrap().to_owned();
    engine.refuses(&["create", "--network=none", &name], &["it came from no registry", "nobody judged it"]);

    // What was judged does.
    skopeo.push(&format!("docker-archive:{}", tar.display()), "team/alpine:v1");
    let remote = format!("{}/team/alpine:v1", service.registry);
    engine.must(&["login", "--username", "admin", "--password", &secret, &service.registry]);
    let until = Instant::now() + PATIENCE;
    while let Err(said) = engine.ask(&["pull", &remote]) {
        assert!(Instant::now() < until, "{said}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let container = engine.must(&["create", "--network=none", "--name", "web", &remote, "true"]);
    for (arguments, word) in [
        (&["create", "--privileged", &remote][..], "privileged"),
        (&["create", "--network=none", "--volume", "/:/host", &remote][..], "mount=/"),
        (&["create", "--network=none", "--cap-add=SYS_ADMIN", &remote][..], "capability=SYS_ADMIN"),
        (&["create", "--pid=host", &remote][..], "pid=host"),
        (&["plugin", "install", "--grant-all-permissions", "vieux/sshfs"][..], "plugins: allow"),
    ] {
        engine.refuses(arguments, &[word]);
    }
    engine.must(&["create", "--network=host", &remote]);
    if let Err(said) = engine.ask(&["start", &container]) {
        // Whether a container can run on this machine is another question.
        assert!(!said.contains("authorization denied"), "{said}");
    }

    // A verdict that changed counts a second later, in the words of the push gate, also for what is there.
    std::fs::write(user.data().join("policy.yaml"), STRICT).unwrap();
    service.wait_for("judged again why=\"new policy\"");
    std::thread::sleep(Duration::from_millis(1_100));
    let words = "busybox";
    let pulled = skopeo.pull("team/alpine:v1", "refused").unwrap_err();
    assert!(pulled.contains(words) && pulled.contains("none-of-these"), "{pulled}");
    engine.refuses(&["create", "--network=none", &remote], &[words, "(policy none-of-these, rule no-apk)"]);
    engine.refuses(&["start", "web"], &[words, "(policy none-of-these, rule no-apk)"]);

    let records = user.run(&["audit", "log", "--subject", "/hosts/node-1", "--format", "json"]).ended(0).out;
    for expected in ["Docker/containers/create", "Docker/images/pull", "privileged", "engine's socket"] {
        assert!(records.contains(expected), "no {expected} in {records}");
    }

    // What cannot be recorded is not done; what only reads, is.
    service.signal("KILL");
    service.ended();
    engine.refuses(&["rm", "web"], &["cannot be recorded"]);
    engine.must(&["ps", "--all"]);
}

/// A manifest's decision by somebody with the role for it, as ACR's clients make it.
fn decide(service: &Service, secret: &str, repository: &str, digest: &str, state: &str) {
    use base64::Engine as _;

    let body = format!(r#"{{"quarantineState": "{state}", "quarantineDetails": "by hand"}}"#);
    let proof = base64::engine::general_purpose::STANDARD.encode(format!("scanner:{secret}"));
    let mut stream = std::net::TcpStream::connect(&service.registry).unwrap();
    let request = format!(
        "PATCH /acr/v1/{repository}/_manifests/{digest} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {proof}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        service.registry,
        body.len()
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// An engine that pulled a tag knows the digest of the index; and people decide about a manifest in one repository.
#[test]
fn docker_asks_about_indexes_and_what_people_decided() {
    let user = User::new();
    current_feeds(&user);
    let service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    let secret = as_admin(&user, &service);
    let scanner = user.run(&["sp", "create", "scanner"]).ended(0).value("secret");
    for role in ["AcrQuarantineWriter", "AcrPull"] {
        let scope = "/registries/main/repositories/team/*";
        user.run(&["role", "assign", role, "--to", "scanner", "--scope", scope]).ended(0);
    }
    let folder = tempfile::Builder::new().prefix("dkr").tempdir_in("/tmp").unwrap();
    let plugin = format!("boltseal-index-{}", std::process::id());
    let _agent = agent(&user, &service, folder.path(), &plugin);
    let Some(engine) = Engine::start(folder.path(), &plugin) else { return };
    engine.must(&["login", "--username", "admin", "--password", &secret, &service.registry]);

    let image = |busybox: &str, platform: &str| alpine_image(busybox).platform(platform).build();
    let good = image("1.36.1-r2", "linux/amd64");
    let bad_elsewhere = image("1.36.1-r0", "linux/arm64");
    let fine = index(&[good.clone(), image("1.36.1-r2", "linux/arm64")]);
    let both = index(&[good.clone(), bad_elsewhere.clone()]);
    for (name, built) in [("fine", &fine), ("both", &both)] {
        skopeo.push_all(&layout(&user, name, built), &format!("team/{name}:1"));
    }
    // Judging takes its time: until all is known, nothing runs.
    for index in [&fine, &both] {
        let told = || user.run(&["admit", &index.manifest.to_string()]).out;
        until("it is judged", || !told().contains("unknown"));
    }
    for name in ["fine", "both"] {
        engine.must(&["pull", &format!("{}/team/{name}:1", service.registry)]);
    }
    let name = |name: &str| format!("{}/team/{name}:1", service.registry);
    let inspected = engine.must(&["image", "inspect", "--format", "{{json .RepoDigests}}", &name("fine")]);
    assert!(inspected.contains(&fine.manifest.to_string()), "the engine knows the index: {inspected}");

    let create = |image: &str| engine.ask(&["create", "--network=none", &name(image), "true"]);
    engine.must(&["create", "--network=none", "--name", "web", &name("fine"), "true"]);
    // The image of the other platform is what is wrong with it, in the words of the push gate.
    let words = format!("image {}: deny: CVE-", bad_elsewhere.manifest.short());
    engine.refuses(&["create", "--network=none", &name("both")], &[&words, "busybox"]);
    // By its id it has both names, and is refused where one of them is.
    let id = engine.must(&["image", "inspect", "--format", "{{.Id}}", &name("fine")]);
    engine.refuses(&["create", "--network=none", &id], &[&words]);
    let refused = user.run(&["admit", &format!("{}/team/both@{}", service.registry, both.manifest)]).ended(1);
    refused.said(&[&words]);
    user.run(&["admit", &both.manifest.to_string()]).ended(1).said(&[&words]);
    user.run(&["admit", &fine.manifest.to_string()]).ended(0);

    // Somebody lets the image pass in this repository, and holds another back. It counts a second later.
    decide(&service, &scanner, "team/both", &bad_elsewhere.manifest.to_string(), "Passed");
    decide(&service, &scanner, "team/fine", &fine.manifest.to_string(), "Failed");
    until("the image is let through", || create("both").is_ok());
    until("the index is held back", || create("fine").is_err());
    engine.refuses(&["start", "web"], &["quarantined by scanner: by hand"]);
    let quarantined = "quarantined by scanner: by hand";
    engine.refuses(&["create", "--network=none", &name("fine")], &[quarantined]);
    let held = user.run(&["admit", &format!("{}/team/fine@{}", service.registry, fine.manifest)]).ended(1);
    held.said(&[quarantined]);
    assert!(skopeo.pull("team/fine:1", "held").unwrap_err().contains(quarantined));
    // Under no name, or the name of another registry: what was refused anywhere is refused, what was let through is not.
    for name in ["", "registry.example.com/team/fine@"] {
        user.run(&["admit", &format!("{name}{}", fine.manifest)]).ended(1).said(&[quarantined]);
        user.run(&["admit", &format!("{name}{}", both.manifest)]).ended(1).said(&[&words]);
    }
    decide(&service, &scanner, "team/fine", &fine.manifest.to_string(), "Quarantined");
    until("nothing is decided any more", || create("fine").is_ok());
    service.stop();
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
