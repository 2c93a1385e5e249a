//! What a newcomer does: sign in one command, require it in one line, and see an unsigned image refused at every gate with the
//! same words.

use std::time::{Duration, Instant};

use crate::{
    binary::User,
    docker_gate::{Engine, agent},
    fixtures::{alpine, layout},
    login::as_admin,
    service::{PATIENCE, Service, Skopeo},
    sign::{signer, with_key},
};

/// The one line, in a policy that asks for nothing else.
const POLICY: &str = "\
version: 1
name: prod
rules:
  - { name: signed, effect: deny, signatures: { keys: [releases.pub] } }
";
const WORDS: &str =
    "deny: it is not signed (policy prod, rule signed); wanted: a signature by releases.pub; fix: ";

/// A pod as `kubectl get -o json` lists it.
fn pod(image: &str) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "List", "items": [{{"apiVersion": "v1", "kind": "Pod",
        "metadata": {{"namespace": "shop", "name": "cart"}}, "spec": {{"containers": [{{"name": "c", "image": "{image}"}}]}}}}]}}"#
    )
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The push gate, CI, and what an API server is answered: each says these words, or none of them does.
fn gates(user: &User, skopeo: &Skopeo, service: &Service, digest: &str, refused: bool) {
    let image = format!("{}/shop/cart@{digest}", service.registry);
    let policy = user.data().join("policy.yaml").display().to_string();
    let local = user.run(&[
        "image",
        "copy",
        &format!("{}/shop/cart:7", service.https),
        "oci:pulled:7",
        "--referrers",
    ]);
    let ci = if refused { "oci:image" } else { "oci:pulled:7" };
    let code = i32::from(refused);
    assert_eq!(local.code, code, "{}", local.err);
    // As whoever logged in, without a name, a password or an authority.
    let gated = user.run(&["gate", &format!("{}/shop/cart@{digest}", service.https), "--policy", &policy]);
    assert_eq!(gated.code != 0, refused, "{}", gated.err);
    let said = [
        skopeo.pull("shop/cart:7", "copied").err().unwrap_or_default(),
        local.err,
        user.run(&["gate", ci, "--policy", &policy]).ended(code).err,
        gated.err,
        user.feed(&["webhook", "gap", "--format", "json"], &pod(&image)).ended(code).out,
        user.run(&["admit", &image]).ended(code).out,
    ];
    for (index, said) in said.iter().enumerate() {
        assert_eq!(said.contains(WORDS), refused, "gate {index}: {said}");
    }
}

#[test]
fn sign_require_and_be_refused_without() {
    let user = signer();
    user.write(".local/share/boltseal/policy.yaml", POLICY);
    std::fs::copy(user.home().join("releases.pub"), user.data().join("releases.pub")).unwrap();
    let service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    let secret = as_admin(&user, &service);
    let built = alpine("1.36.1-r2");
    let digest = built.manifest.to_string();
    skopeo.push(&layout(&user, "image", &built), "shop/cart:7");
    let told = || user.run(&["admit", &digest]).out;
    until("it is judged", || !told().contains("still being scanned"));
    gates(&user, &skopeo, &service, &digest, true);

    // One command; what was signed passes everywhere.
    // By the name in the refusal, at which nobody logged in.
    user.run(&with_key(&["sign", &format!("{}/shop/cart@{digest}", service.registry)])).ended(0);
    until("the signature counts", || skopeo.pull("shop/cart:7", "signed").is_ok());
    gates(&user, &skopeo, &service, &digest, false);

    let folder = tempfile::Builder::new().prefix("dkr").tempdir_in("/tmp").unwrap();
    let plugin = format!("boltseal-new-{}", std::process::id());
    let _agent = agent(&user, &service, folder.path(), &plugin);
    let Some(engine) = Engine::start(folder.path(), &plugin) else { return };
    engine.must(&["login", "--username", "admin", "--password", &secret, &service.registry]);
    let image = format!("{}/shop/cart:7", service.registry);
    engine.must(&["pull", &image]);
    let create = ["create", "--network=none", &image, "true"];
    engine.must(&create);
    // The signature goes, and with it the right to run.
    let at = format!("{}/shop/cart", service.https);
    let listed = user.run(&["image", "discover", &format!("{at}:7"), "--format", "json"]).ended(0).json();
    let signature = listed["referrers"][0]["digest"].as_str().unwrap().to_owned();
    user.run(&["image", "rm", &format!("{at}@{signature}")]).ended(0);
    until("the signature is missed", || engine.ask(&create).is_err());
    engine.refuses(&create, &[WORDS]);
    gates(&user, &skopeo, &service, &digest, true);
    service.stop();
}
