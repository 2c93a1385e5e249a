//! A real API server asks a real server of ours: whenever kube-apiserver, etcd and kubectl are on the path.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    binary::User,
    fixtures::{alpine, current_feeds, layout},
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

impl Cluster {
    fn start(user: &User) -> Option<Self> {
        let [server, etcd, kubectl, openssl] = ["kube-apiserver", "etcd", "kubectl", "openssl"].map(program);
        let (server, etcd, kubectl, openssl) = (server?, etcd?, kubectl?, openssl?);
        let home = user.home().join("cluster");
        fs::create_dir_all(&home).unwrap();
        let key = home.join("accounts.key");
        let made = Command::new(openssl).args(["genrsa", "-out"]).arg(&key).arg("2048").output().unwrap();
        assert!(made.status.success());
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
        running.0.push(start(
            server,
            vec![
                format!("--etcd-servers=http://127.0.0.1:{client}"),
                format!("--secure-port={port}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--cert-dir={}", shown("certificates")),
                format!("--token-auth-file={}", shown("tokens.csv")),
                "--service-account-issuer=https://cluster.test".to_owned(),
                format!("--service-account-key-file={}", key.display()),
                format!("--service-account-signing-key-file={}", key.display()),
                "--disable-admission-plugins=ServiceAccount".to_owned(),
                "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            ],
            "apiserver.log",
        ));
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
}

#[test]
fn only_what_is_approved_runs() {
    let user = User::new();
    let Some(cluster) = Cluster::start(&user) else { return };
    current_feeds(&user);
    let service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    skopeo.push(&layout(&user, "good", &alpine("1.36.1-r2")), "team/good:1");
    skopeo.push(&layout(&user, "bad", &alpine("1.36.1-r0")), "team/bad:1");
    skopeo.pull_until("team/good:1", "pulled", Result::is_ok).unwrap();
    skopeo
        .pull_until("team/bad:1", "refused", |answer| {
            answer.as_ref().is_err_and(|told| told.contains("refused"))
        })
        .unwrap_err();

    let ca = user.data().join("tls/ca.pem").display().to_string();
    let url = format!("https://{}", service.https);
    let rendered = user.run(&["webhook", "render", "--url", &url, "--ca", &ca]).ended(0).out;
    cluster.run(&["apply", "-f", "-"], &rendered).unwrap();
    let (good, bad) =
        (format!("{}/team/good:1", service.registry), format!("{}/team/bad:1", service.registry));
    // An API server takes a moment to see a new configuration.
    let _ = cluster.pod("shop", "probe", &bad);
    cluster.until("the webhook is asked", || {
        let _ = cluster.run(&["delete", "pod", "probe", "-n", "shop", "--force", "--ignore-not-found"], "");
        cluster.pod("shop", "probe", &bad).is_err()
    });

    let told = cluster.pod("shop", "bad", &bad).unwrap_err();
    for part in
        ["validate.boltseal.io", "refused by policy", "/spec/containers/0/image", "found CVE-", "fix: "]
    {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    assert!(
        cluster
            .pod("shop", "unknown", "nginx:1")
            .unwrap_err()
            .contains("no image of this digest was scanned here")
    );
    cluster.pod("shop", "good", &good).unwrap();
    let image =
        cluster.run(&["get", "pod", "good", "-n", "shop", "-o", "jsonpath={.spec.containers[0].image}"], "");
    assert!(image.unwrap().starts_with(&format!("{good}@sha256:")), "the tag is pinned");
    let told = cluster.run(&["create", "deployment", "bad", "-n", "shop", "--image", &bad], "").unwrap_err();
    assert!(told.contains("/spec/template/spec/containers/0/image"), "{told}");
    cluster.run(&["label", "pod", "good", "-n", "shop", "a=b"], "").unwrap();

    // While nobody answers: nothing new runs, except what brings a cluster back; and what is there can go.
    drop(service);
    assert!(cluster.pod("shop", "later", &good).unwrap_err().contains("failed calling webhook"));
    cluster.pod("kube-system", "rescue", &bad).unwrap();
    cluster.run(&["delete", "pod", "good", "-n", "shop", "--force"], "").unwrap();
    cluster.run(&["delete", "validatingwebhookconfiguration", "boltseal"], "").unwrap();
}
