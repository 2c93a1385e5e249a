//! Containers that run as a workload get its tokens, by Azure's own client too; nobody else does.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use boltseal_api::client::{Client, Server};
use boltseal_testkit::{
    image::{Built, Compression, Image},
    peer, skip,
};
use serde_json::Value;

use crate::{
    azure::python,
    binary::User,
    fixtures::{current_feeds, layout},
    login::as_admin,
    node::{Node, own_network, text},
    outdated::alpine_layer,
    service::{PATIENCE, Service, Skopeo},
};

const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: NAME
identity: IDENTITY
properties:
  osType: Linux
  restartPolicy: Never
  imageRegistryCredentials: [{server: REGISTRY, username: node-1, password: PASSWORD}]
  containers:
  - name: one
    properties:
      image: IMAGE
      command: COMMAND
      resources: {requests: {cpu: 1, memoryInGB: 0.2}}
";
/// Allows everything that was looked at.
const LENIENT: &str =
    "version: 1\nname: lenient\nrules:\n  - name: unscanned\n    effect: unknown\n    unscanned: true\n";
const ORDERS: &str =
    "{type: UserAssigned, userAssignedIdentities: {/subscriptions/s/userAssignedIdentities/orders: {}}}";
/// Asks as `curl` in Azure's documentation does.
const ASK: &str = "wget -T 20 -q -O - --header 'Metadata: true' \
    'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=RESOURCE'";

/// A server, and an agent that may speak for its node and for the workload `orders`.
pub struct Cloud {
    pub node: Node,
    pub user: User,
    service: Service,
    skopeo: Skopeo,
    secret: String,
}

impl Cloud {
    pub fn start() -> Option<Self> {
        // The server and the agent share it.
        if !own_network() {
            return None;
        }
        let user = User::new();
        fs::create_dir_all(user.data()).unwrap();
        fs::write(user.data().join("policy.yaml"), LENIENT).unwrap();
        current_feeds(&user);
        let service = Service::start(&user, &[]);
        let skopeo = Skopeo::new(&user, &service)?;
        as_admin(&user, &service);
        let secret = user.run(&["sp", "create", "node-1"]).ended(0).value("secret");
        let file = user.write("node.secret", &secret);
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        for (role, scope) in
            [("Node Agent", "/"), ("AcrPull", "/"), ("Workload Token Issuer", "/workloads/orders")]
        {
            user.run(&["role", "assign", role, "--to", "node-1", "--scope", scope]).ended(0);
        }
        for name in ["orders", "stock"] {
            user.run(&["workload", "create", name]).ended(0);
        }
        user.run(&["role", "assign", "Reader", "--to", "orders", "--scope", "/"]).ended(0);
        let server = format!("https://{}", service.https);
        let more = ["--server", &server, "--name", "node-1", "--secret-file", &file, "--host", "node-1"];
        let node = Node::here(&more, user.home())?;
        Some(Self { node, user, service, skopeo, secret })
    }

    /// Pushes an image, waits until it is allowed, and gives the name by which groups pull it.
    pub fn push(&self, source: &str, name: &str) -> String {
        self.skopeo.push(source, name);
        let pulled = self.user.home().join(name.replace(['/', ':'], "-"));
        self.skopeo.pull_until(name, pulled.to_str().unwrap(), Result::is_ok).unwrap();
        format!("{}/{name}", self.service.registry)
    }

    pub fn group(&self, name: &str, identity: &str, image: &str, command: &[&str]) -> String {
        let command = serde_json::to_string(command).unwrap();
        let group = GROUP.replace("NAME", name).replace("IDENTITY", identity);
        let group = group.replace("REGISTRY", &self.service.registry).replace("PASSWORD", &self.secret);
        group.replace("IMAGE", image).replace("COMMAND", &command)
    }

    /// Runs a container to its end; gives its last line and how it ended.
    fn run(&self, name: &str, identity: &str, image: &str, command: &[&str]) -> (String, i64) {
        let group = self.group(name, identity, image, command);
        let ran = self.node.run(&group, &["--plain-http"]);
        assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), self.node.log());
        let group = self.node.until(name, |group| group["containers"][0]["ended"]["code"].is_number());
        let said = self.said(name);
        let last = said.lines().last().unwrap_or_default().to_owned();
        (last, group["containers"][0]["ended"]["code"].as_i64().unwrap())
    }

    /// What a group wrote, errors last.
    fn said(&self, name: &str) -> String {
        let said = self.node.command(&["logs", name]);
        text(&said.stdout) + &text(&said.stderr)
    }

    /// Who a token of this server stands for.
    fn whose(&self, token: &str) -> String {
        let server = Server {
            address: format!("https://{}", self.service.https),
            token: Some(token.to_owned()),
            ca: Some(self.user.data().join("tls/ca.pem")),
        };
        let who: Value = Client::new(&server).unwrap().get("/api/v1/whoami").unwrap();
        who["name"].as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn a_container_gets_tokens_of_its_workload_and_of_no_other() {
    let (Some(alpine), Some(cloud)) = (alpine_layer(), Cloud::start()) else { return };
    let alpine = Image::new().tar(alpine, Compression::Gzip).build();
    let image = cloud.push(&layout(&cloud.user, "alpine", &alpine), "shop/orders:1");
    let ask = |more: &str| {
        let resource = format!("https://{}{more}", cloud.service.https);
        ["/bin/sh".to_owned(), "-c".to_owned(), ASK.replace("RESOURCE", &resource)]
    };
    let run = |name: &str, identity: &str, more: &str| {
        let command = ask(more);
        cloud.run(name, identity, &image, &command.each_ref().map(String::as_str))
    };
    let (said, code) = run("orders-group", ORDERS, "");
    assert_eq!(code, 0, "{said}\n{}", cloud.node.log());
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(cloud.whose(answer["access_token"].as_str().unwrap()), "orders");
    assert_eq!(answer["token_type"], "Bearer");
    let ends = answer["expires_on"].as_str().unwrap().parse::<i64>().unwrap();
    assert!(ends > boltseal_model::Timestamp::now().as_second(), "{answer}");

    of_several(&cloud, &run);

    // One that nobody let this node speak for; what asks wrongly; and a group that runs as nobody.
    for (name, identity, more, refused) in [
        ("stock", "{type: SystemAssigned}", "", "403"),
        ("missing", "{type: SystemAssigned}", "", "403"),
        ("twice", ORDERS, "&resource=x", "400"),
        ("not-it", ORDERS, "&client_id=stock", "400"),
        ("elsewhere", ORDERS, ".example.com", "400"),
        ("nobody", "{type: None}", "", "t connect to remote host"),
    ] {
        let (said, code) = run(name, identity, more);
        assert!(code != 0 && said.contains(refused), "{name}: {code}: {said}");
    }

    // Who got one is in the log of the server: as a sign-in of the workload, and as the node tells it.
    let log = cloud.user.run(&["audit", "log", "-n", "1000", "--format", "json"]).ended(0).out;
    assert!(log.contains("\"agent\":") && log.contains("\"group\":\"orders-group\""));
    let until = Instant::now() + PATIENCE;
    for wanted in
        ["container orders-group/one got a token of orders for", "container stock/one got no token of stock"]
    {
        while !cloud
            .user
            .run(&["audit", "log", "-n", "1000", "--format", "json"])
            .ended(0)
            .out
            .contains(wanted)
        {
            assert!(Instant::now() < until, "{wanted}\n{}", cloud.node.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    // What is not allowed any more gets nothing, although it runs. Other resources, since one is remembered for a minute.
    let loops = format!("i=0; while {}; do echo; i=$((i+1)); sleep 2; done", ask("/'$i'")[2]);
    let group = cloud.group("kept", ORDERS, &image, &["/bin/sh", "-c", &loops]);
    let ran = cloud.node.run(&group, &["--plain-http"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    while !cloud.node.ok(&["logs", "kept"]).contains("access_token") {
        assert!(Instant::now() < until, "{}\n{}", cloud.node.ok(&["logs", "kept"]), cloud.node.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    let digest = cloud.node.group("kept")["containers"][0]["digest"].as_str().unwrap().to_owned();
    let held = format!("{}/shop/orders@{digest}", cloud.service.https);
    cloud.user.run(&["role", "assign", "AcrQuarantineWriter", "--to", "admin", "--scope", "/"]).ended(0);
    cloud.user.run(&["quarantine", "put", &held, "--note", "found out"]).ended(0);
    cloud.node.until("kept", |group| group["containers"][0]["ended"]["code"].is_number());
    let said = cloud.said("kept");
    assert!(said.lines().last().unwrap_or_default().contains("403"), "{said}");
}

/// An image is pulled as a workload, as far as that may, from the registry that knows it and from no other.
#[test]
fn images_are_pulled_as_a_workload() {
    let (Some(alpine), Some(cloud)) = (alpine_layer(), Cloud::start()) else { return };
    let alpine = layout(&cloud.user, "alpine", &Image::new().tar(alpine, Compression::Gzip).build());
    let image = cloud.push(&alpine, "shop/orders:1");
    let other = cloud.push(&alpine, "shop/stock:1");
    let run = |name: &str, image: &str, identity: &str, registry: &str| {
        let group = cloud.group(name, ORDERS, image, &["/bin/true"]);
        let line = group.lines().find(|line| line.contains("imageRegistryCredentials")).unwrap();
        let with = format!("  imageRegistryCredentials: [{{server: {registry}, identity: {identity}}}]");
        let ran = cloud.node.run(&group.replace(line, &with), &["--plain-http"]);
        (ran.status.code(), text(&ran.stderr))
    };
    let registry = cloud.service.registry.clone();
    // Who may read what is said of images may not pull them.
    let (code, said) = run("too-early", &image, "orders", &registry);
    assert!(code != Some(0) && said.contains("shop/orders"), "{said}");
    let scope = "/registries/main/repositories/shop/orders";
    cloud.user.run(&["role", "assign", "AcrPull", "--to", "orders", "--scope", scope]).ended(0);
    let resource = "/subscriptions/s/userAssignedIdentities/orders";
    for (name, identity) in [("by-name", "orders"), ("by-id", resource)] {
        let (code, said) = run(name, &image, identity, &registry);
        assert_eq!(code, Some(0), "{said}\n{}", cloud.node.log());
        cloud.node.until(name, |group| group["containers"][0]["ended"]["code"] == 0);
    }
    for (name, image, identity, registry, why) in [
        ("another-repository", other.as_str(), "orders", registry.as_str(), "shop/stock"),
        ("not-assigned", &image, "stock", &registry, "none of the identities"),
        (
            "elsewhere",
            "registry.example.com/shop/orders:1",
            "orders",
            "registry.example.com",
            "not known as a name",
        ),
    ] {
        let (code, said) = run(name, image, identity, registry);
        assert!(code != Some(0) && said.contains(why), "{name}: {said}");
    }
    // Nor as a workload that this node may not speak for.
    let group = cloud.group(
        "not-its-own",
        "{type: UserAssigned, userAssignedIdentities: {stock: {}}}",
        &image,
        &["/bin/true"],
    );
    let secret = format!("username: node-1, password: {}", cloud.secret);
    let ran = cloud.node.run(&group.replace(&secret, "identity: stock"), &["--plain-http"]);
    assert!(
        !ran.status.success() && text(&ran.stderr).contains("no token of stock"),
        "{}",
        text(&ran.stderr)
    );
    let log = cloud.user.run(&["audit", "log", "-n", "1000", "--format", "json"]).ended(0).out;
    assert!(
        log.contains("\"group\":\"by-name\"") && log.contains(&format!("\"image\":\"{image}\"")),
        "{log}"
    );
}

/// The one with the id that is asked for.
fn of_several(cloud: &Cloud, run: &impl Fn(&str, &str, &str) -> (String, i64)) {
    let id =
        cloud.user.run(&["workload", "show", "orders", "--format", "json"]).ended(0).json()["id"].clone();
    let several = "{type: 'SystemAssigned, UserAssigned', userAssignedIdentities: {stock: {}, orders: {}}}";
    let (said, code) = run("several", several, &format!("&client_id={}", id.as_str().unwrap()));
    assert_eq!(code, 0, "{said}\n{}", cloud.node.log());
    let answer: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&answer["client_id"], cloud.whose(answer["access_token"].as_str().unwrap())),
        (&id, "orders".to_owned())
    );
}

/// A Debian with Python and the packages of that Python here; made before the test is in a network of its own.
fn debian_with_azure() -> Option<Built> {
    let (python, mmdebstrap) = (python()?, peer("mmdebstrap")?);
    let folder = tempfile::tempdir().unwrap();
    let tar = folder.path().join("debian.tar");
    let made = Command::new(mmdebstrap)
        .args(["--variant=minbase", "--include=python3,ca-certificates", "--quiet", "bookworm"])
        .arg(&tar)
        .output()
        .unwrap();
    if !made.status.success() {
        skip(&format!("mmdebstrap: {}", text(&made.stderr).trim()));
        return None;
    }
    let packages = Command::new(python)
        .args(["-c", "import azure.identity, os; print(os.path.dirname(os.path.dirname(os.path.dirname(azure.identity.__file__))))"])
        .output()
        .unwrap();
    let layer = folder.path().join("packages.tar");
    let packed = Command::new("tar")
        .args(["--transform", "s,^\\.,usr/lib/python3/dist-packages,", "--owner=0", "--group=0", "-cf"])
        .arg(&layer)
        .args(["-C", text(&packages.stdout).trim(), "."])
        .status()
        .unwrap();
    assert!(packed.success());
    let image = [tar, layer]
        .iter()
        .fold(Image::new(), |image, path| image.tar(fs::read(path).unwrap(), Compression::Gzip));
    Some(image.build())
}

#[test]
fn azure_identity_in_a_container_gets_tokens_unmodified() {
    const SCRIPT: &str = "
import sys
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
scope = sys.argv[1] + '/.default'
first = ManagedIdentityCredential().get_token(scope)
named = ManagedIdentityCredential(identity_config={'mi_res_id': '/subscriptions/s/userAssignedIdentities/orders'}).get_token(scope)
default = DefaultAzureCredential().get_token(scope)
assert first.token == named.token or named.token
print(default.token)
";
    let Some(debian) = debian_with_azure() else { return };
    let Some(cloud) = Cloud::start() else { return };
    let image = cloud.push(&layout(&cloud.user, "debian", &debian), "shop/python:1");
    let resource = format!("https://{}", cloud.service.https);
    let (said, code) = cloud.run("azure", ORDERS, &image, &["python3", "-c", SCRIPT, &resource]);
    assert_eq!(code, 0, "{}\n{}", cloud.node.ok(&["logs", "azure"]), cloud.node.log());
    assert_eq!(cloud.whose(&said), "orders");
}
