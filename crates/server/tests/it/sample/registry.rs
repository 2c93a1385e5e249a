//! What else a registry knows: who pulled what, what is attached to what, what is locked, an image for two platforms.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{
    About, BuildStep, Facts, ImageFilter, ImageRow, Kind, LockChange, Locked, NewManifest, Page, Pulled,
};
use jiff::SignedDuration;

use super::{Described, now};

/// Repository, tag, pulls a day at most, and how many days ago the last of them was.
const PULLS: [(&str, &str, u64, i64); 6] = [
    ("shop/checkout", "2.14.0", 240, 0),
    ("shop/checkout", "2.13.2", 900, 1),
    ("shop/storefront", "5.1.0", 1300, 0),
    ("platform/ingress", "1.11.2", 4800, 0),
    ("platform/base", "latest", 60, 0),
    ("data/etl", "2024.11", 1, 11),
];

/// What is attached to an image: its kind, bytes, and what is attached to that.
const ATTACHED: [(&str, u64, &[&str]); 3] = [
    ("application/vnd.cyclonedx+json", 184_220, &["application/vnd.dev.sigstore.bundle.v0.3+json"]),
    ("application/vnd.in-toto+json", 9_411, &[]),
    ("application/vnd.dev.sigstore.bundle.v0.3+json", 5_120, &[]),
];

/// Steps that make no layer, and what the builder said of them.
const SETTINGS: [(&str, Option<&str>); 3] = [
    ("CMD [\"bash\"]", None),
    (
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 NODE_ENV=production",
        Some("buildkit.dockerfile.v0"),
    ),
    ("ENTRYPOINT [\"/app/run\" \"--listen\" \"0.0.0.0:8080\"]", Some("buildkit.dockerfile.v0")),
];

/// Adds it to the sample images.
pub async fn furnish(facts: &Facts) {
    let all = facts.images(&ImageFilter::default(), Page::default()).await.unwrap().rows;
    let named = |repository: &str, tag: &str| {
        let fits =
            |row: &&ImageRow| row.repository == repository && row.tags.iter().any(|known| known == tag);
        all.iter().find(fits).map(|row| row.digest.clone())
    };
    for (repository, tag, most, ago) in PULLS {
        let Some(digest) = named(repository, tag) else { continue };
        facts.count_pulls(pulls(repository, &digest, tag, most, ago)).await.unwrap();
    }
    let checkout = named("shop/checkout", "2.14.0").unwrap();
    for (kind, bytes, above) in ATTACHED {
        let digest = attach(facts, &checkout, kind, bytes).await;
        for kind in above {
            attach(facts, &digest, kind, 4_096).await;
        }
    }
    let lock = LockChange { write: Some(false), delete: Some(false), ..LockChange::default() };
    for target in [Locked::Tag("2.14.0".to_owned()), Locked::Manifest(checkout)] {
        let at = now() - SignedDuration::from_hours(20);
        facts.change_lock("shop/checkout", target, lock, "ada", "release of December", at).await.unwrap();
    }
    let mailer = named("legacy/mailer", "1.0").unwrap();
    let decision = r#"{"state":"Passed","details":"the old bureau needs it until January","by":"lin","by_id":"1","at":"2024-12-13T15:02:00Z"}"#;
    facts.set_quarantine("legacy/mailer", &mailer, Some(decision.to_owned())).await.unwrap();
    let ingress: Vec<Digest> =
        all.iter().filter(|row| row.repository == "platform/ingress").map(|row| row.digest.clone()).collect();
    let index = manifest("platform/ingress", Kind::Index, b"ingress for all", 900);
    let index = NewManifest { manifests: ingress, tags: vec!["multi".to_owned()], ..index };
    facts.put_manifest(index).await.unwrap();
}

/// What an image says of itself: labels, and every step of its build. Those of the shop name a base that has moved on.
pub fn about(described: &Described, at: Timestamp) -> About {
    let layers = described.layers();
    let mut history = Vec::new();
    for (layer, (text, comment)) in layers.iter().zip(SETTINGS) {
        history.push(BuildStep { step: layer.created_by.clone(), ..BuildStep::default() });
        let (step, comment) = (Some(text.to_owned()), comment.map(str::to_owned));
        history.push(BuildStep { created: Some(at.to_string()), step, comment, empty: true });
    }
    let shop = described.repository.starts_with("shop/");
    let labels = [
        ("org.opencontainers.image.source", format!("https://git.example/{}", described.repository)),
        ("org.opencontainers.image.revision", Digest::of(described.repository.as_bytes()).hex()),
        ("team", described.repository.split('/').next().unwrap_or_default().to_owned()),
    ];
    About {
        created: Some(at - SignedDuration::from_mins(12)),
        base_name: shop.then(|| "127.0.0.1:5000/platform/base:latest".to_owned()),
        // What the storefront is built on is still here, under no name.
        base_digest: match described.repository.as_str() {
            "shop/storefront" => Some(old_base()),
            _ => shop.then(|| Digest::of(b"the base of last year")),
        },
        layers: layers.into_iter().filter_map(|layer| layer.diff_id).collect(),
        labels: labels.map(|(name, value)| (name.to_owned(), value)).into(),
        history: Some(history),
    }
}

fn old_base() -> Digest {
    Described {
        repository: "platform/base".to_owned(),
        tags: vec!["latest".to_owned()],
        ..Described::default()
    }
    .digest()
}

/// Attaches something, decides about it and locks it, in the words of somebody who means harm.
#[cfg(test)]
pub async fn attach_evil(facts: &Facts, to: &Digest, words: [&str; 5]) {
    let repository = facts.image(to).await.unwrap().unwrap().rows[0].repository.clone();
    let new = manifest(&repository, Kind::Artifact, b"evil", 1);
    let kind = Some(words[0].to_owned());
    let labels = words.iter().map(|word| ((*word).to_owned(), (*word).to_owned())).collect();
    let about = Some(About { labels, base_name: Some(words[0].to_owned()), ..About::default() });
    let new = NewManifest { subject: Some(to.clone()), artifact_type: kind, about, ..new };
    facts.put_manifest(new).await.unwrap();
    let (details, state) = (words.join(" "), words[1]);
    let decision = serde_json::json!({ "state": state, "details": details, "by": words[2], "at": now() });
    facts.set_quarantine(&repository, to, Some(decision.to_string())).await.unwrap();
    let lock = LockChange { write: Some(false), ..LockChange::default() };
    facts.change_lock(&repository, Locked::Repository, lock, words[3], words[4], now()).await.unwrap();
}

fn pulls(repository: &str, digest: &Digest, tag: &str, most: u64, ago: i64) -> Vec<Pulled> {
    let days = (ago..ago + 26).filter(|day| most > 1 || day % 9 == 0);
    days.map(|day| Pulled {
        repository: repository.to_owned(),
        digest: digest.clone(),
        tag: (day % 3 != 1).then(|| tag.to_owned()),
        // Fewer on Saturdays and Sundays; the sample ends on a Monday.
        number: (if matches!(day.rem_euclid(7), 1 | 2) {
            most / 5
        } else {
            most - most * day.unsigned_abs() % 7 / 9
        })
        .max(1),
        last: now() - SignedDuration::from_mins(day * 24 * 60 + 7),
        by: Some("build".to_owned()),
    })
    .collect()
}

async fn attach(facts: &Facts, to: &Digest, kind: &str, bytes: u64) -> Digest {
    let new = manifest("shop/checkout", Kind::Artifact, format!("{kind} of {to}").as_bytes(), bytes);
    let digest = new.digest.clone();
    let new = NewManifest { subject: Some(to.clone()), artifact_type: Some(kind.to_owned()), ..new };
    facts.put_manifest(new).await.unwrap();
    digest
}

fn manifest(repository: &str, kind: Kind, content: &[u8], bytes: u64) -> NewManifest {
    let image = "application/vnd.oci.image.manifest.v1+json";
    let index = "application/vnd.oci.image.index.v1+json";
    NewManifest {
        repository: repository.to_owned(),
        digest: Digest::of(content),
        media_type: if kind == Kind::Index { index } else { image }.to_owned(),
        size: 700,
        place: String::new(),
        content_size: bytes,
        kind,
        platform: None,
        subject: None,
        artifact_type: None,
        annotations: None,
        about: None,
        blobs: Vec::new(),
        manifests: Vec::new(),
        tags: Vec::new(),
        by: None,
        at: now() - SignedDuration::from_mins(if kind == Kind::Index { 4 * 24 * 60 } else { 20 }),
    }
}
