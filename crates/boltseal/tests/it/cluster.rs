//! A real API server asks a real server of ours: whenever kube-apiserver, etcd and kubectl are on the path.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    binary::User,
    fixtures::{alpine, current_feeds, layout},
    login::{as_admin, log_in},
    service::{Service, Skopeo},
};

/// An API server that stores a first namespace has started; on a busy machine that takes its time.
const PATIENCE: Duration = Duration::from_mins(2);
/// Who may do everything in the cluster of this test.
const TOKEN: &str = "a-token-of-this-test";

/// What runs while the test does; killed when dropped.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in self.0.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

struct Cluster {
    kubectl: PathBuf,
    address: String,
    home: PathBuf,
    _running: Running,
}

/// Not part of what tests must find: no distribution packages an API server.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: no {name}");
    }
    found
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// How an API server is started.
fn arguments(etcd: u16, port: u16, shown: impl Fn(&str) -> String) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--cert-dir={}", shown("certificates")),
        format!("--token-auth-file={}", shown("tokens.csv")),
        format!("--client-ca-file={}", shown("ca.crt")),
        "--service-account-issuer=https://cluster.test".to_owned(),
        format!("--service-account-key-file={}", shown("accounts.key")),
        format!("--service-account-signing-key-file={}", shown("accounts.key")),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
    ]
}

/// A key for accounts, and somebody who proves who they are with a certificate.
fn certificates(openssl: &Path, home: &Path) {
    let make = |args: &[&str]| {
        let made = Command::new(openssl).args(args).current_dir(home).output().unwrap();
        assert!(made.status.success(), "{args:?}: {}", String::from_utf8_lossy(&made.stderr));
    };
    make(&["genrsa", "-out", "accounts.key", "2048"]);
    let key = ["-newkey", "rsa:2048", "-nodes"];
    let people = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=people"];
    make(&[&["req", "-x509"], &key[..], &people].concat());
    let operator =
        ["-keyout", "operator.key", "-out", "operator.csr", "-subj", "/O=system:masters/CN=operator"];
    make(&[&["req"], &key[..], &operator].concat());
    // Without extensions it would be of version 1, which TLS takes from nobody.
    fs::write(home.join("extensions"), "basicConstraints = CA:FALSE\n").unwrap();
    let old = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "old.crt"];
    make(&[&["x509", "-req", "-in", "operator.csr"], &old[..]].concat());
    let signed = [
        "-extfile",
        "extensions",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        "operator.crt",
    ];
    make(&[&["x509", "-req", "-in", "operator.csr"], &signed[..]].concat());
}

impl Cluster {
    fn start(user: &User) -> Option<Self> {
        let [server, etcd, kubectl, openssl] = ["kube-apiserver", "etcd", "kubectl", "openssl"].map(program);
        let (server, etcd, kubectl, openssl) = (server?, etcd?, kubectl?, openssl?);
        let home = user.home().join("cluster");
        fs::create_dir_all(&home).unwrap();
        certificates(&openssl, &home);
        fs::write(home.join("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n")).unwrap();
        let [client, peers, port] = [free(), free(), free()];
        let start = |program: PathBuf, args: Vec<String>, log: &str| {
            let log = File::create(home.join(log)).unwrap();
            let mut command = Command::new(program);
            command.args(args).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            command.spawn().unwrap()
        };
        let shown = |path: &str| home.join(path).display().to_string();
        let etcd = start(
            etcd,
            vec![
                format!("--data-dir={}", shown("etcd")),
                format!("--listen-client-urls=http://127.0.0.1:{client}"),
                format!("--advertise-client-urls=http://127.0.0.1:{client}"),
                format!("--listen-peer-urls=http://127.0.0.1:{peers}"),
                format!("--initial-advertise-peer-urls=http://127.0.0.1:{peers}"),
                format!("--initial-cluster=default=http://127.0.0.1:{peers}"),
            ],
            "etcd.log",
        );
        let mut running = Running(vec![etcd]);
        running.0.push(start(server, arguments(client, port, shown), "apiserver.log"));
        let address = format!("https://127.0.0.1:{port}");
        let cluster = Self { kubectl, address, home, _running: running };
        cluster
            .until("the API server is ready", || cluster.run(&["create", "namespace", "shop"], "").is_ok());
        Some(cluster)
    }

    /// Output, or what it complained.
    fn run(&self, args: &[&str], input: &str) -> Result<String, String> {
        fs::write(self.home.join("input"), input).unwrap();
        let mut command = Command::new(&self.kubectl);
        command.args(["--server", &self.address, "--token", TOKEN, "--insecure-skip-tls-verify"]).args(args);
        command.env("HOME", &self.home).env_remove("KUBECONFIG");
        command.stdin(File::open(self.home.join("input")).unwrap());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    #[track_caller]
    fn until(&self, what: &str, done: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done() {
            let log = fs::read_to_string(self.home.join("apiserver.log")).unwrap_or_default();
            assert!(Instant::now() < end, "not yet: {what}:\n{}", &log[log.len().saturating_sub(4_000)..]);
            sleep(Duration::from_millis(200));
        }
    }

    fn pod(&self, namespace: &str, name: &str, image: &str) -> Result<String, String> {
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
             spec: {{automountServiceAccountToken: false, containers: [{{name: c, image: \"{image}\"}}]}}\n"
        );
        self.run(&["create", "-f", "-"], &pod)
    }

    /// A file as `kubectl` has it, with these lines about its user.
    fn kubeconfig(&self, name: &str, user: &str) -> String {
        let ca = fs::read(self.home.join("certificates/apiserver.crt")).unwrap();
        let path = self.home.join(name);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: test\n  cluster: {{server: \"{}\", \
             certificate-authority-data: {}}}\ncontexts:\n- name: here\n  context: {{cluster: test, user: me}}\n- name: \
             nowhere\n  context: {{cluster: gone, user: me}}\nusers:\n- name: me\n  user: {user}\n",
            self.address,
            STANDARD.encode(ca)
        );
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Everything that is there, as `kubectl get -o json` lists it.
    fn everything(&self) -> String {
        self.run(&["get", "pods", "-A", "-o", "json"], "").unwrap()
    }
}

/// A server with a good and a bad image.
struct World {
    user: User,
    cluster: Cluster,
    service: Service,
    secret: String,
    /// Reaches the cluster with a token.
    kubeconfig: String,
}

impl World {
    fn new() -> Option<Self> {
        let user = User::new();
        let cluster = Cluster::start(&user)?;
        current_feeds(&user);
        let service = Service::start(&user, &[]);
        let skopeo = Skopeo::new(&user, &service)?;
        let secret = as_admin(&user, &service);
        skopeo.push(&layout(&user, "good", &alpine("1.36.1-r2")), "team/good:1");
        skopeo.push(&layout(&user, "bad", &alpine("1.36.1-r0")), "team/bad:1");
        skopeo.pull_until("team/good:1", "pulled", Result::is_ok).unwrap();
        let refused = |answer: &Result<(), String>| answer.as_ref().is_err_and(|told| told.contains("deny:"));
        skopeo.pull_until("team/bad:1", "refused", refused).unwrap_err();
        // What clusters call this registry, whatever its address is after a restart.
        user.run(&["webhook", "set", "--registry", "registry.example.com"]).ended(0);
        let kubeconfig = cluster.kubeconfig("config", &format!("{{token: {TOKEN}}}"));
        Some(Self { user, cluster, service, secret, kubeconfig })
    }

    /// Installs, with these arguments besides.
    fn install(&self, more: &[&str]) -> crate::binary::Ran {
        let ca = self.user.data().join("tls/ca.pem").display().to_string();
        let url = format!("https://{}", self.service.https);
        let args = ["webhook", "install", "--url", &url, "--ca", &ca, "--kubeconfig", &self.kubeconfig];
        self.user.run(&[&args, more].concat())
    }

    fn cluster_command(&self, args: &[&str]) -> crate::binary::Ran {
        self.user.run(&[&["webhook"], args, &["--kubeconfig", &self.kubeconfig]].concat())
    }

    /// The server again, after it was killed.
    fn again(&mut self) {
        self.service = Service::start(&self.user, &[]);
        log_in(&self.user, &self.service, "admin", &self.secret).ended(0);
    }

    fn kill(&mut self) {
        self.service.signal("KILL");
        self.service.ended();
    }
}

const GOOD: &str = "registry.example.com/team/good:1";
const BAD: &str = "registry.example.com/team/bad:1";

#[test]
fn only_what_is_approved_runs() {
    let Some(world) = World::new() else { return };
    let World { user, cluster, service, .. } = &world;
    world.cluster_command(&["status"]).ended(1).said(&["test does not ask", "missing"]);
    world.install(&[]).ended(0).complained(&["test asks, and heeds the answer"]);
    let url = format!("asks https://{}/admission/validate for 5 s, then: Fail", service.https);
    world.cluster_command(&["status"]).ended(0).said(&[
        "test asks before anything runs",
        &url,
        "kube-system",
    ]);

    let told = cluster.pod("shop", "bad", BAD).unwrap_err();
    for part in [
        "validate.boltseal.io",
        "container \"c\": registry.example.com/team/bad:1 (/spec/containers/0/image): deny: CVE-",
        "(policy default, rule ",
        "; wanted: ",
        "; fix: ",
    ] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    let told = cluster.pod("shop", "unknown", "nginx:1").unwrap_err();
    assert!(told.contains("no image of this digest was scanned here"), "{told}");
    cluster.pod("shop", "good", GOOD).unwrap();
    let image = ["get", "pod", "good", "-n", "shop", "-o", "jsonpath={.spec.containers[0].image}"];
    assert!(cluster.run(&image, "").unwrap().starts_with(&format!("{GOOD}@sha256:")), "the tag is pinned");
    let told = cluster.run(&["create", "deployment", "bad", "-n", "shop", "--image", BAD], "").unwrap_err();
    assert!(told.contains("/spec/template/spec/containers/0/image"), "{told}");
    cluster.run(&["create", "deployment", "good", "-n", "shop", "--image", GOOD], "").unwrap();
    cluster.run(&["label", "pod", "good", "-n", "shop", "a=b"], "").unwrap();
    cluster.run(&["scale", "deployment", "good", "-n", "shop", "--replicas", "3"], "").unwrap();

    // A container that is added to a pod that runs.
    let mut pod: Value =
        serde_json::from_str(&cluster.run(&["get", "pod", "good", "-n", "shop", "-o", "json"], "").unwrap())
            .unwrap();
    let mut debug = |image: &str| {
        let container =
            serde_json::json!({"name": "debug", "image": image, "terminationMessagePolicy": "File"});
        pod["spec"]["ephemeralContainers"] = Value::Array(vec![container]);
        let path = "/api/v1/namespaces/shop/pods/good/ephemeralcontainers";
        cluster.run(&["replace", "--raw", path, "-f", "-"], &pod.to_string())
    };
    let told = debug(BAD).unwrap_err();
    assert!(told.contains("ephemeral container \"debug\"") && told.contains("deny: CVE-"), "{told}");
    let added = debug(GOOD).unwrap();
    assert!(added.contains(&format!("{GOOD}@sha256:")), "it is pinned, too: {added}");

    // Refusals are in the log, once however often they are asked for; what was let in is counted.
    for _ in 0..3 {
        cluster.pod("shop", "bad", BAD).unwrap_err();
    }
    let records = || user.run(&["audit", "log", "--subject", "/admission", "--format", "json"]).ended(0).out;
    let expected = "Pod bad in shop: refused: container";
    cluster.until("the refusal is in the log", || records().contains(expected));
    let all = records();
    assert_eq!(all.matches(expected).count(), 1, "{all}");
    for part in ["kubernetes:admin", BAD, "sha256:", "ephemeral container", "Deployment bad in shop"] {
        assert!(all.contains(part), "{part} is missing in {all}");
    }
}

#[test]
fn outages_and_the_way_back() {
    let Some(mut world) = World::new() else { return };
    // Told to let in what nobody answers about, a cluster does.
    world.install(&["--failure-policy", "ignore"]).ended(0).complained(&["boltseal webhook gap"]);
    world.cluster.pod("shop", "before", BAD).unwrap_err();
    world.kill();
    world.cluster.pod("shop", "meanwhile", BAD).unwrap();
    // Nothing is written while nobody answers.
    world.install(&[]).ended(3).complained(&["does not answer reviews, so nothing was written"]);
    world.again();
    // What was let in is found, with the reason.
    let gap = world.user.feed(&["webhook", "gap", "--since", "1h"], &world.cluster.everything()).ended(1);
    gap.said(&[
        "Pod shop/meanwhile",
        "deny:",
        "CVE-2023-42366",
        "1 object would be refused, of 1 asked about",
    ]);

    // The same again, closed: at another address, as the server is there now.
    world.install(&[]).ended(0).complained(&["wrote the ValidatingWebhookConfiguration of test"]);
    world.cluster_command(&["status"]).ended(0).said(&["then: Fail"]);
    let closed = |world: &World, name: &str| {
        let told = world.cluster.pod("shop", name, GOOD).unwrap_err();
        assert!(told.contains("failed calling webhook"), "{told}");
        world.cluster.pod("kube-system", name, BAD).unwrap();
    };
    // A server that takes questions and does not answer them.
    world.service.signal("STOP");
    closed(&world, "hanging");
    world.service.signal("CONT");
    world.cluster.pod("shop", "answered", GOOD).unwrap();
    world.kill();
    closed(&world, "down");
    world.cluster.run(&["delete", "pod", "answered", "-n", "shop", "--force"], "").unwrap();

    // The glass: without the server, and so not in its log yet.
    world.cluster_command(&["off"]).ended(2).complained(&["--reason"]);
    let off = world.cluster_command(&["off", "--reason", "server is down, INC-7"]).ended(0);
    off.complained(&["not in the server's log yet", "asks nobody now", "boltseal webhook gap --since"]);
    world.cluster.until("nobody is asked", || world.cluster.pod("shop", "unasked", BAD).is_ok());
    let status = world.cluster_command(&["status"]).ended(1);
    status.said(&["test does not ask", "by me: server is down, INC-7"]);
    world
        .cluster_command(&["off", "--reason", "again"])
        .ended(0)
        .complained(&["nothing of this program is on"]);
    world.again();
    world.install(&[]).ended(0);
    world.cluster.pod("shop", "guarded", BAD).unwrap_err();
    let log = ["audit", "log", "--subject", "/clusters/test", "--format", "json"];
    let records = world.user.run(&log).ended(0);
    records.said(&["asks nobody any more: server is down, INC-7", "asks this server before anything runs"]);
    // With the server, the record comes first; and what is taken away is gone.
    world.cluster_command(&["off", "--remove", "--reason", "moved"]).ended(0);
    let records = world.user.run(&log).ended(0);
    records.said(&["its configurations are gone: moved"]);
    world.cluster_command(&["status", "--format", "json"]).ended(1).said(&["\"missing\""]);
}

#[test]
fn who_may_reach_a_cluster_and_what_is_not_ours() {
    let Some(world) = World::new() else { return };
    let World { user, cluster, .. } = &world;
    let read = |name: &str| STANDARD.encode(fs::read(cluster.home.join(name)).unwrap());
    let status = |config: &str, more: &[&str]| {
        user.run(&[&["webhook", "status", "--kubeconfig", config], more].concat())
    };
    let token = user.write("token", format!("{TOKEN}\n"));
    for (name, how) in [
        (
            "data",
            format!(
                "{{client-certificate-data: {}, client-key-data: {}}}",
                read("operator.crt"),
                read("operator.key")
            ),
        ),
        ("files", "{client-certificate: operator.crt, client-key: operator.key}".to_owned()),
        ("token-file", format!("{{tokenFile: \"{token}\"}}")),
    ] {
        status(&cluster.kubeconfig(name, &how), &[]).ended(1).said(&["test does not ask"]);
    }
    let exec = cluster
        .kubeconfig("exec", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: kubelogin}}");
    status(&exec, &[])
        .ended(2)
        .complained(&["the program `kubelogin`, which is not run here", "--token-file"]);
    status(&exec, &["--token-file", &token]).ended(1);
    let config = &world.kubeconfig;
    status(config, &["--context", "other"])
        .ended(2)
        .complained(&["no context `other`", "it has: here, nowhere"]);
    status(config, &["--context", "nowhere"]).ended(2).complained(&["no cluster `gone`"]);
    status("none", &[]).ended(2).complained(&["cannot read none"]);
    let wrong = cluster.kubeconfig("wrong", "{token: nobody}");
    status(&wrong, &[]).ended(3).complained(&["does not know me"]);
    // An authority that did not make its certificate.
    let other = fs::read_to_string(config).unwrap();
    let ours = STANDARD.encode(fs::read(cluster.home.join("certificates/apiserver.crt")).unwrap());
    let stranger = user.write("stranger", other.replace(&ours, &read("ca.crt")));
    status(&stranger, &[]).ended(3).complained(&["cannot be asked"]);
    let plain = user.write("plain", other.replace("https://127", "http://127"));
    status(&plain, &[]).ended(2).complained(&["without encryption"]);

    // Somebody else's configuration of this name is not touched.
    world.install(&[]).ended(0);
    let kind = "validatingwebhookconfiguration";
    cluster.run(&["label", kind, "boltseal", "app.kubernetes.io/managed-by-"], "").unwrap();
    world.cluster_command(&["off", "--reason", "x"]).ended(2).complained(&["not of this program"]);
    world.install(&[]).ended(2).complained(&["lacks the label app.kubernetes.io/managed-by=boltseal"]);
    cluster.pod("shop", "still", BAD).unwrap_err();
    // A service that is not there.
    let ca = user.data().join("tls/ca.pem").display().to_string();
    cluster.run(&["delete", kind, "boltseal"], "").unwrap();
    let args = ["webhook", "install", "--service", "security/boltseal", "--ca", &ca, "--kubeconfig", config];
    user.run(&args).ended(2).complained(&["has no service security/boltseal: nothing was written"]);
}
