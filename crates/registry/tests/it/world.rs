//! A registry over a fresh folder, a judge that does what an annotation says, and a client without a network.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_audit::Record;
use boltseal_image::manifest::{Document, parse};
use boltseal_model::{
    Catalog, Coverage, Decision, Digest, Omitted, Reason, Report, Subject, Timestamp, Verdict,
};
use boltseal_registry::{Again, Basis, Config, Judge, Registry, Request as Image};
use boltseal_store::{Blobs, Facts, Outcome};
use boltseal_testkit::image::Built;
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::people::People;

/// Does what the annotation `judge` of a manifest says: `deny`, `warn`, `fail`, `panic`; allows everything else.
#[derive(Default)]
pub struct FakeJudge {
    /// While set, judging waits.
    pub hold: AtomicBool,
    /// While set, everything is denied; the policy is another one.
    pub strict: AtomicBool,
    /// How many images were opened.
    pub opened: AtomicU64,
    /// When set, verdicts end then.
    pub expires: Mutex<Option<Timestamp>>,
}

impl FakeJudge {
    fn policy(&self) -> Digest {
        Digest::of(if self.strict.load(Ordering::SeqCst) { b"strict" } else { b"lenient" })
    }

    fn outcome(&self, digest: &Digest, word: &str) -> Outcome {
        let decision = match word {
            _ if self.strict.load(Ordering::SeqCst) => Decision::Deny,
            "deny" => Decision::Deny,
            "warn" => Decision::Warn,
            "unknown" => Decision::Unknown,
            _ => Decision::Allow,
        };
        let reason = Reason {
            decision,
            rule: "no-criticals".to_owned(),
            found: "CVE-2024-1 in openssl 3.0.11 (critical)".to_owned(),
            wanted: "no fixable critical".to_owned(),
            fix: Some("apt-get install openssl=3.0.13".to_owned()),
            exception: None,
        };
        let verdict = Verdict {
            decision,
            policy: "test".to_owned(),
            policy_digest: self.policy(),
            snapshot: None,
            reasons: if decision == Decision::Allow { vec![] } else { vec![reason] },
            expires: *self.expires.lock().unwrap(),
        };
        let report = Report {
            leaks: Some(Vec::new()),
            misconfigurations: Vec::new(),
            unowned: Vec::new(),
            malware: Vec::new(),
            subject: Subject {
                reference: word.to_owned(),
                name: None,
                digest: Some(digest.clone()),
                config: None,
                platform: None,
            },
            snapshot: None,
            coverage: Coverage::of(vec![]),
            distro: None,
            layers: vec![],
            packages: vec![],
            findings: vec![],
            signatures: None,
            bases: None,
            vex: Vec::new(),
            omitted: Omitted::default(),
            verdict: Some(verdict),
        };
        Outcome::Judged { report: Box::new(report), catalog_gaps: Catalog::default().gaps }
    }
}

impl Judge for FakeJudge {
    fn judge(&self, image: &Image<'_>) -> Outcome {
        self.opened.fetch_add(1, Ordering::SeqCst);
        while self.hold.load(Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let mut bytes = Vec::new();
        image.blobs.blob(image.digest).unwrap().read_to_end(&mut bytes).unwrap();
        let Ok(Document::Manifest(manifest)) = parse(&bytes, Some(image.media_type)) else {
            return Outcome::Failed { error: "not an image".to_owned() };
        };
        let word = manifest.annotations.get("judge").map_or("", String::as_str);
        match word {
            "fail" => Outcome::Failed { error: "layer is truncated".to_owned() },
            "panic" => panic!("the fake judge was told to panic"),
            word => self.outcome(image.digest, word),
        }
    }

    fn rejudge(&self, images: Vec<Again>, _: &dyn boltseal_image::Blobs) -> Vec<(Digest, Outcome)> {
        images
            .into_iter()
            .map(|Again { digest, material, .. }| {
                let outcome = self.outcome(&digest, &material.subject.reference);
                (digest, outcome)
            })
            .collect()
    }

    fn basis(&self) -> Basis {
        Basis { snapshot: None, policy: self.policy() }
    }
}

pub struct World {
    pub folder: TempDir,
    pub facts: Facts,
    pub registry: Registry,
    pub judge: Arc<FakeJudge>,
    pub people: People,
    router: Router,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, None, Arc::default()).await
    }

    /// The same folder, as after a restart.
    pub async fn reopen(self) -> Self {
        let Self { folder, people, judge, .. } = self;
        Self::open(folder, Some(people), judge).await
    }

    async fn open(folder: TempDir, known: Option<People>, judge: Arc<FakeJudge>) -> Self {
        let judging: Arc<dyn Judge> = Arc::clone(&judge) as Arc<dyn Judge>;
        Self { judge, ..Self::judged_by(folder, known, judging).await }
    }

    /// With another judge than the one that does what annotations say.
    pub async fn judged_by(folder: TempDir, known: Option<People>, judging: Arc<dyn Judge>) -> Self {
        let facts = Facts::open(folder.path()).await.unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let people = known.unwrap_or_else(People::new);
        let registry =
            Registry::new(facts.clone(), blobs, people.authority.clone(), judging, Config::default());
        registry.start().await.unwrap();
        let router = registry.router();
        Self { folder, facts, registry, judge: Arc::default(), people, router }
    }

    /// The header of somebody.
    pub fn basic_of(&self, name: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{name}:{}", self.people.secret(name))))
    }

    pub fn basic(&self) -> String {
        self.basic_of("admin")
    }

    /// The same request as [`World::get`], by somebody else.
    pub async fn call_as(&self, name: &str, method: &str, path: &str) -> Reply {
        let basic = self.basic_of(name);
        self.raw(method, path, &[("host", "registry.test"), ("authorization", &basic)], Body::empty()).await
    }

    /// Everything recorded so far, oldest first.
    pub async fn records(&self) -> Vec<Record> {
        let batches = self.facts.batches(0, 10_000).await.unwrap();
        batches.iter().flat_map(|batch| &batch.entries).map(|entry| Record::parse(entry).unwrap()).collect()
    }

    /// One request with exactly these headers.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// The same, signed in.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let basic = self.basic();
        let mut all = vec![("host", "registry.test"), ("authorization", basic.as_str())];
        all.extend_from_slice(headers);
        self.raw(method, path, &all, body).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], Body::empty()).await
    }

    /// A token with these scopes, ready for the header.
    pub async fn token(&self, scopes: &[&str]) -> String {
        let scopes: String = scopes.iter().flat_map(|scope| ["&scope=", scope]).collect();
        let reply = self.get(&format!("/token?service=boltseal{scopes}")).await;
        assert_eq!(reply.status, StatusCode::OK);
        format!("Bearer {}", reply.json()["token"].as_str().unwrap())
    }

    pub async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let reply = self.call("POST", &path, &[], bytes.to_vec()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        digest
    }

    /// A one-layer image that the judge treats as `word` says.
    pub async fn push_image(&self, repository: &str, tag: &str, word: &str, layer: &[u8]) -> Digest {
        let manifest = self.image(repository, word, layer).await;
        let reply = self.put_manifest(repository, tag, &manifest).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        Digest::of(manifest.as_bytes())
    }

    /// An image as it was built.
    pub async fn push_built(&self, repository: &str, tag: &str, built: &Built) {
        for (digest, bytes) in &built.blobs {
            if *digest != built.manifest {
                self.push_blob(repository, bytes).await;
            }
        }
        let manifest = std::str::from_utf8(built.manifest_bytes()).unwrap();
        let reply = self.put_manifest(repository, tag, manifest).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    }

    pub async fn image(&self, repository: &str, word: &str, layer: &[u8]) -> String {
        let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let layer_digest = self.push_blob(repository, layer).await;
        let config_digest = self.push_blob(repository, config).await;
        serde_json::json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer_digest, "size": layer.len()}],
            "annotations": {"judge": word},
        })
        .to_string()
    }

    pub async fn put_manifest(&self, repository: &str, reference: &str, manifest: &str) -> Reply {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let media_type: serde_json::Value = serde_json::from_str(manifest).unwrap();
        let media_type = media_type["mediaType"].as_str().unwrap_or(OCI_MANIFEST).to_owned();
        self.call("PUT", &path, &[("content-type", &media_type)], manifest.to_owned()).await
    }
}

pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}
