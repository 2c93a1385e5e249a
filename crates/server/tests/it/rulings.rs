//! What every gate answers: the webhook by a name in a pod, agents by digest and name. The same answer in the same words.

use boltseal_model::{Digest, Quarantine, QuarantineState, Timestamp};
use boltseal_store::{Kind, NewManifest};
use serde_json::{Value, json};

use crate::{
    app::App,
    sample::{self, NAME},
};

const REPOSITORY: &str = "tools/lint";
const HERE: &str = "127.0.0.1:5000";

/// A server with a good and a bad image in one repository.
struct World {
    app: App,
    good: Digest,
    bad: Digest,
}

impl World {
    async fn new() -> Self {
        let app = App::new().await;
        let good = app.state.facts.tag("tools/alpine", "3.20").await.unwrap().unwrap();
        let bad = app.state.facts.tag("shop/checkout", "2.13.2").await.unwrap().unwrap();
        let world = Self { app, good, bad };
        for (digest, tag) in [(&world.good, "good"), (&world.bad, "bad")] {
            world.store(REPOSITORY, digest, Kind::Image, Vec::new(), tag).await;
        }
        world
    }

    async fn store(&self, repository: &str, digest: &Digest, kind: Kind, points_to: Vec<Digest>, tag: &str) {
        let new = NewManifest {
            repository: repository.to_owned(),
            digest: digest.clone(),
            media_type: "application/vnd.oci.image.index.v1+json".to_owned(),
            size: 500,
            place: String::new(),
            content_size: 0,
            kind,
            platform: None,
            subject: None,
            artifact_type: None,
            annotations: None,
            about: None,
            blobs: Vec::new(),
            manifests: points_to,
            tags: vec![tag.to_owned()],
            by: None,
            at: sample::now(),
        };
        self.app.state.facts.put_manifest(new).await.unwrap();
    }

    /// An index of these, under this tag.
    async fn index(&self, tag: &str, points_to: &[&Digest]) -> Digest {
        let digest = Digest::of(tag.as_bytes());
        let points_to = points_to.iter().map(|one| (*one).clone()).collect();
        self.store(REPOSITORY, &digest, Kind::Index, points_to, tag).await;
        digest
    }

    async fn decide(&self, repository: &str, digest: &Digest, state: QuarantineState) {
        let (by, by_id) = ("scanner".to_owned(), "1".to_owned());
        let decided =
            Quarantine { state, details: Some("by hand".to_owned()), by, by_id, at: Timestamp::UNIX_EPOCH };
        let text = (state != QuarantineState::Quarantined).then(|| serde_json::to_string(&decided).unwrap());
        self.app.state.facts.set_quarantine(repository, digest, text).await.unwrap();
    }

    /// What the API answers about a digest, under a name if there is one.
    async fn by_digest(&self, digest: &Digest, name: Option<&str>) -> Value {
        let name = name.map(|name| format!("?name={name}")).unwrap_or_default();
        let answer = self.app.get(&format!("/api/v1/images/{digest}/verdict{name}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// What the webhook answers about a reference: whether it may run, and what is said.
    async fn by_webhook(&self, reference: &str) -> (bool, String) {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u-1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "namespace": "shop", "dryRun": false, "object": {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": reference}]}}}});
        let json = [("content-type", "application/json")];
        let answer = self.app.ask("POST", "/admission/validate", &json, &review.to_string()).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let response = &answer["response"];
        let said = response["status"]["message"].as_str().or_else(|| response["warnings"][0].as_str());
        (response["allowed"] == true, said.unwrap_or_default().to_owned())
    }

    /// All gates say this about a digest in a repository of ours: decision, whether it was judged, and words.
    #[track_caller]
    fn holds(
        &self,
        repository: &str,
        digest: &Digest,
        decision: &str,
        words: &str,
    ) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let name = format!("{HERE}/{repository}");
            let told = self.by_digest(digest, Some(&name)).await;
            let why = told["why"].as_str().unwrap();
            assert_eq!(told["decision"], decision, "{place}: {told}");
            assert!(why.contains(words), "{place}: {why}");
            let (allowed, said) = self.by_webhook(&format!("{name}@{digest}")).await;
            assert_eq!(allowed, matches!(decision, "allow" | "warn"), "{place}: {said}");
            // A warning is as long as API servers show it.
            let why = if decision == "warn" { &why[..80] } else { why };
            if decision != "allow" {
                assert!(said.contains(why), "{place}: `{why}` is not in `{said}`");
            }
        }
    }
}

/// The digest of an index is what an engine that pulled by tag knows.
#[tokio::test]
async fn an_index_is_as_good_as_its_worst_image() {
    let world = World::new().await;
    let World { good, bad, .. } = &world;
    let fine = world.index("fine", &[good]).await;
    let both = world.index("both", &[good, bad]).await;
    let outer = world.index("outer", &[&both]).await;
    let gone = Digest::of(b"an image of another platform that was deleted");
    world.store(REPOSITORY, &gone, Kind::Artifact, Vec::new(), "gone").await;
    let partly = world.index("partly", &[good, &gone]).await;
    let empty = world.index("empty", &[&gone]).await;
    world.holds(REPOSITORY, &fine, "allow", "allow (policy default)").await;
    world.holds(REPOSITORY, &partly, "allow", "allow (policy default)").await;
    let short = bad.short();
    world.holds(REPOSITORY, &both, "deny", &format!("image {short}: deny: CVE-")).await;
    world.holds(REPOSITORY, &outer, "deny", &format!("image {short}: deny: CVE-")).await;
    world.holds(REPOSITORY, &empty, "unknown", "no image of the index is stored here").await;
    assert_eq!(world.by_digest(&empty, None).await["judged"], false);
    // Wherever it is asked about.
    for name in [None, Some("docker.io/library/lint")] {
        assert_eq!(world.by_digest(&fine, name).await["decision"], "allow");
        assert_eq!(world.by_digest(&both, name).await["decision"], "deny");
    }
    // More than anybody looks at.
    let many: Vec<Digest> = (0..300).map(|number: u32| Digest::of(&number.to_be_bytes())).collect();
    for one in &many {
        world.store(REPOSITORY, one, Kind::Artifact, Vec::new(), "x").await;
    }
    let many = world.index("many", &many.iter().collect::<Vec<_>>()).await;
    world.holds(REPOSITORY, &many, "deny", "leads to 256 manifests or more").await;
}

/// ACR's quarantine: it holds in one repository, and so is asked for by name.
#[tokio::test]
async fn what_people_decided_counts_in_their_repository() {
    use QuarantineState::{Failed, Passed, Quarantined};
    let world = World::new().await;
    let World { good, bad, .. } = &world;
    let both = world.index("both", &[good, bad]).await;
    let fine = world.index("fine", &[good]).await;

    world.decide(REPOSITORY, bad, Passed).await;
    let released = "released by scanner although deny: CVE-";
    world.holds(REPOSITORY, bad, "warn", released).await;
    world.holds(REPOSITORY, &both, "warn", released).await;
    world.holds("shop/checkout", bad, "deny", "deny: CVE-").await;
    for name in [None, Some("quay.io/shop/checkout")] {
        assert_eq!(world.by_digest(bad, name).await["decision"], "deny", "{name:?}");
    }

    world.decide(REPOSITORY, good, Failed).await;
    let refused = "quarantined by scanner: by hand";
    world.holds(REPOSITORY, good, "deny", refused).await;
    world.holds(REPOSITORY, &fine, "deny", refused).await;
    world.holds("tools/alpine", good, "allow", "allow (policy default)").await;
    // Nobody says in which repository: what was refused in one is refused.
    for name in [None, Some("docker.io/library/alpine")] {
        assert_eq!(world.by_digest(good, name).await["why"], refused, "{name:?}");
    }

    world.decide(REPOSITORY, good, Quarantined).await;
    world.decide(REPOSITORY, &fine, Failed).await;
    world.holds(REPOSITORY, good, "allow", "allow (policy default)").await;
    world.holds(REPOSITORY, &fine, "deny", refused).await;
    // As at the push gate, an index that was let through says nothing about its images.
    world.decide(REPOSITORY, bad, Quarantined).await;
    world.decide(REPOSITORY, &both, Passed).await;
    world.holds(REPOSITORY, &both, "deny", "deny: CVE-").await;

    world.app.state.facts.set_quarantine(REPOSITORY, good, Some("{".to_owned())).await.unwrap();
    world.holds(REPOSITORY, good, "deny", "what was decided cannot be read").await;
}

/// What nobody judged is told apart from what was judged and is not known enough about.
#[tokio::test]
async fn what_is_not_known() {
    let world = World::new().await;
    let nobody = Digest::of(b"nobody");
    for (digest, name, judged, words) in [
        (&nobody, None, false, "was never pushed to 127.0.0.1:5000; push it"),
        (&nobody, Some("127.0.0.1:5000/tools/lint"), false, "is not in tools/lint; push it"),
        (&nobody, Some("nginx"), false, "it comes from docker.io"),
        (&world.good, Some("127.0.0.1:5000/none/here"), false, "is not in none/here"),
        (&tag(&world, "data/notebooks", "nightly").await, None, false, "still being scanned"),
        (&tag(&world, "legacy/windows-agent", "3.2").await, None, true, "could not be scanned: layer"),
    ] {
        let told = world.by_digest(digest, name).await;
        assert_eq!((&told["decision"], &told["judged"]), (&json!("unknown"), &json!(judged)), "{told}");
        assert!(told["why"].as_str().unwrap().contains(words), "{told}");
    }
    // A name of ours that a setting adds.
    let setting = json!({"registries": ["r.example.com"]});
    let path = "/api/v1/settings/admission";
    assert_eq!(crate::control::call(&world.app, NAME, "PUT", path, &setting).await.0, 204);
    world.decide(REPOSITORY, &world.good, QuarantineState::Failed).await;
    let told = world.by_digest(&world.good, Some("r.example.com/tools/alpine")).await;
    assert_eq!(told["decision"], "allow", "{told}");
    let told = world.by_digest(&world.good, Some("other.example.com/tools/alpine")).await;
    assert_eq!(told["decision"], "deny", "{told}");
}

async fn tag(world: &World, repository: &str, tag: &str) -> Digest {
    world.app.state.facts.tag(repository, tag).await.unwrap().unwrap()
}
