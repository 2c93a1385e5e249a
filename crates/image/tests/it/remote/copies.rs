//! What is sent to a real registry and copied out of it again. It knows no referrers: the fallback tags are ours.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use boltseal_image::{
    Credentials, Options,
    manifest::OCI_INDEX,
    open,
    remote::{
        Access, Attachment, Content, Error, Name, Remote, Repository,
        copy::{Copied, CopyOptions, Label, Place, Platforms, Progress, copy},
    },
};
use boltseal_model::Digest;
use boltseal_testkit::image::{Built, Image, Layer, index};

use super::peer::Peer;
use crate::tree::{All, view};

fn of(platform: &str) -> Built {
    let base = Layer::new().file("shared", "in every image");
    Image::new().platform(platform).layer(base).layer(Layer::new().file("arch", platform)).build()
}

fn many() -> Built {
    index(&[of("linux/amd64"), of("linux/arm64")])
}

/// An SBOM, as far as a registry can tell.
fn attach(repository: &Repository, subject: &Digest, kind: &str) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sbom.json");
    std::fs::write(&path, format!("of {subject}")).unwrap();
    let file = Content { title: "sbom.json".into(), media_type: "application/json".into(), path };
    let annotations = BTreeMap::from([("by".to_owned(), "test".to_owned())]);
    let what = Attachment { artifact_type: kind.to_owned(), files: vec![file], annotations };
    let attached = repository.attach(Name::Digest(subject), &what).unwrap();
    assert_eq!((&attached.subject, attached.listed), (subject, false));
    attached.digest
}

#[derive(Default)]
struct Heard(AtomicU64, AtomicU64);

impl Progress for Heard {
    fn plan(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.1.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn copied(from: &Place, to: &Place, options: &CopyOptions) -> Copied {
    let heard = Heard::default();
    let copied = copy(from, to, options, &heard).unwrap();
    assert_eq!(heard.0.into_inner(), heard.1.into_inner(), "what is planned is done");
    copied
}

fn tag(repository: Repository, tag: &str) -> Place {
    Place::at(repository, Name::Tag(tag))
}

#[test]
fn sends_lists_and_deletes() {
    let Some(peer) = Peer::start(false) else { return };
    let image = of("linux/amd64");
    for name in ["v1", "v2", "other"] {
        peer.push("team/app", name, &image);
    }
    peer.push("alone", "v1", &image);
    let remote = peer.remote();
    remote.ping().unwrap();
    assert_eq!(remote.catalog().unwrap().all(10).unwrap(), ["alone", "team/app"]);
    assert!(matches!(remote.catalog().unwrap().all(1), Err(Error::Answer { .. })));
    let app = remote.repository("team/app").unwrap();
    let mut tags = app.tags().unwrap().all(10).unwrap();
    tags.sort();
    assert_eq!(tags, ["other", "v1", "v2"]);
    let head = app.head(Name::Tag("v1")).unwrap();
    assert_eq!((&head.digest, head.media_type.as_str()), (&image.manifest, image.media_type));
    assert_eq!(head.size, Some(image.manifest_bytes().len() as u64));
    assert_eq!(app.manifest(Name::Digest(&image.manifest)).unwrap().bytes, image.manifest_bytes());
    assert!(app.head(Name::Tag("v9")).unwrap_err().is_not_found());
    let nowhere = remote.repository("nowhere").unwrap().tags().unwrap().all(10).unwrap_err();
    assert!(nowhere.is_not_found() && nowhere.to_string().contains("NAME_UNKNOWN"), "{nowhere}");
    app.delete_manifest(Name::Digest(&image.manifest)).unwrap();
    assert!(app.head(Name::Tag("v1")).unwrap_err().is_not_found());
    assert!(remote.repository("UPPER").is_err() && app.head(Name::Tag("a/b")).is_err());
    // What was stored is what the scanner reads.
    let opened = open(&format!("docker://{}/alone:v1", peer.address()), &All, &Options::default()).unwrap();
    assert_eq!(view(&opened.tree), ["arch=linux/amd64@1", "shared=in every image@0"]);
}

#[test]
fn sends_blobs_in_every_way() {
    let Some(peer) = Peer::start(false) else { return };
    let repository = peer.remote().repository("blobs").unwrap();
    // Two full pieces and a bit; exactly one; nothing at all.
    for size in [(16 << 20) + 3, 8 << 20, 5, 0] {
        let bytes: Vec<u8> = (0_usize..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let digest = Digest::of(&bytes);
        let stored = repository.put_blob_streamed(&mut bytes.as_slice()).unwrap();
        assert_eq!(stored, (digest.clone(), size as u64));
        assert_eq!(repository.head_blob(&digest).unwrap(), Some(size as u64));
        let mut back = Vec::new();
        std::io::Read::read_to_end(&mut repository.blob(&digest, size as u64).unwrap(), &mut back).unwrap();
        assert!(back == bytes);
        let other = peer.remote().repository("other").unwrap();
        other.put_blob_from(&digest, size as u64, &mut || Ok(Box::new(bytes.as_slice()))).unwrap();
        assert!(other.head_blob(&digest).unwrap().is_some());
    }
    let wrong = Digest::of(b"something else");
    let refused = repository.put_blob_from(&wrong, 3, &mut || Ok(Box::new(b"abc".as_slice()))).unwrap_err();
    assert_eq!(refused.status(), Some(400), "{refused}");
    assert!(refused.to_string().contains("DIGEST_INVALID"), "{refused}");
    assert_eq!(repository.head_blob(&wrong).unwrap(), None);
}

#[test]
fn copies_everything_once() {
    let (Some(here), Some(there)) = (Peer::start(false), Peer::start(false)) else { return };
    let image = many();
    let folder = tempfile::tempdir().unwrap();
    image.write_oci(folder.path(), Some("v1"));
    let from = Place::layout(folder.path(), Some(Label::Tag("v1".to_owned())));
    let app = || here.remote().repository("app").unwrap();
    let first = copied(&from, &tag(app(), "v1"), &CopyOptions::default());
    assert_eq!(
        (first.digest.clone(), first.manifests, first.manifests_there),
        (image.manifest.clone(), 3, 0)
    );
    // Two configurations, two layers of their own, and one that both have.
    assert_eq!((first.blobs, first.mounted, first.blobs_there), (5, 0, 1), "{first:?}");

    // A list of what was attached, and what was attached to that.
    let sbom = attach(&app(), &image.manifest, "application/sbom");
    let signature = attach(&app(), &sbom, "application/signature");
    let part = of("linux/arm64").manifest;
    let report = attach(&app(), &part, "application/report");
    let tree = app().discover(&image.manifest).unwrap();
    assert_eq!(tree.len(), 1);
    assert_eq!((&tree[0].descriptor.digest, &tree[0].referrers[0].descriptor.digest), (&sbom, &signature));
    assert_eq!(tree[0].descriptor.artifact_type.as_deref(), Some("application/sbom"));
    assert_eq!(tree[0].descriptor.annotations["by"], "test");
    assert_eq!(app().referrers(&image.manifest, Some("application/other")).unwrap(), []);

    let mut all = CopyOptions::default();
    all.referrers = true;
    let away = || there.remote().repository("mirror/app").unwrap();
    let second = copied(&tag(app(), "v1"), &tag(away(), "v1"), &all);
    assert_eq!((second.manifests, second.referrers, second.mounted), (6, 3, 0), "{second:?}");
    assert_eq!(away().discover(&image.manifest).unwrap(), tree);
    assert_eq!(away().referrers(&part, None).unwrap()[0].digest, report);
    let again = copied(&tag(app(), "v1"), &tag(away(), "v1"), &all);
    assert_eq!((again.manifests, again.blobs, again.bytes, again.manifests_there), (0, 0, 0, 6), "{again:?}");

    // Within one registry nothing travels.
    let beside = || there.remote().repository("beside").unwrap();
    let third = copied(&tag(away(), "v1"), &tag(beside(), "v1"), &all);
    assert_eq!((third.blobs, third.bytes), (0, 0), "{third:?}");
    assert!(third.mounted > 5);
    assert_eq!(beside().discover(&image.manifest).unwrap(), tree);

    // And into a folder, byte for byte.
    let fresh = tempfile::tempdir().unwrap();
    let to = || Place::layout(fresh.path().join("new"), Some(Label::Tag("mine".to_owned())));
    let fourth = copied(&tag(away(), "v1"), &to(), &all);
    assert_eq!((fourth.manifests, fourth.referrers), (6, 3));
    for (digest, bytes) in &image.blobs {
        let path = fresh.path().join("new/blobs/sha256").join(digest.hex());
        assert_eq!(std::fs::read(path).unwrap(), *bytes);
    }
    let listed = std::fs::read_to_string(fresh.path().join("new/index.json")).unwrap();
    assert!(listed.contains("application/sbom") && !listed.contains("image.config"), "{listed}");
    let target = format!("oci:{}:mine", fresh.path().join("new").display());
    assert_eq!(open(&target, &All, &Options::default()).unwrap().subject.reference, target);
    let back = copied(&to(), &tag(beside(), "back"), &all);
    assert_eq!((back.digest, back.blobs, back.referrers), (image.manifest, 0, 3));

    app().delete_manifest(Name::Digest(&sbom)).unwrap();
    app().forget_referrer(&first.digest, &sbom).unwrap();
    assert_eq!(app().discover(&first.digest).unwrap(), []);
}

#[test]
fn copies_what_is_wanted() {
    let Some(peer) = Peer::start(false) else { return };
    let folder = tempfile::tempdir().unwrap();
    let image = many();
    image.write_oci(folder.path(), None);
    let from = Place::layout(folder.path(), None);
    let mut options = CopyOptions::default();
    options.platforms = Platforms::One("linux/arm64".parse().unwrap());
    let one = peer.remote().repository("one").unwrap();
    let copied = copied(&from, &tag(one.clone(), "v1"), &options);
    assert_eq!(copied.digest, of("linux/arm64").manifest);
    assert_eq!(one.head(Name::Tag("v1")).unwrap().digest, copied.digest);

    options.platforms = Platforms::One("windows/amd64".parse().unwrap());
    let error = copy(&from, &tag(one.clone(), "v2"), &options, &()).unwrap_err().to_string();
    assert!(error.contains("linux/amd64, linux/arm64"), "{error}");

    // A part that is missing: what can be copied is, the index is not.
    std::fs::remove_file(folder.path().join("blobs/sha256").join(of("linux/amd64").manifest.hex())).unwrap();
    options.platforms = Platforms::All;
    assert!(copy(&from, &tag(one.clone(), "v3"), &options, &()).is_err());
    options.keep_going = true;
    let partly = copy(&from, &tag(one.clone(), "v3"), &options, &()).unwrap();
    let failed: Vec<&Digest> = partly.failed.iter().map(|(digest, _)| digest).collect();
    assert_eq!(failed, [&of("linux/amd64").manifest, &image.manifest]);
    assert!(one.head(Name::Tag("v3")).unwrap_err().is_not_found());

    // A pinned destination takes no other image.
    let elsewhere = Place::at(one, Name::Digest(&image.manifest));
    options.platforms = Platforms::One("linux/arm64".parse().unwrap());
    assert!(matches!(copy(&from, &elsewhere, &options, &()), Err(Error::Digest { .. })));
}

#[test]
fn damage_is_not_copied() {
    let Some(peer) = Peer::start(false) else { return };
    let folder = tempfile::tempdir().unwrap();
    let image = of("linux/amd64");
    image.write_oci(folder.path(), Some("v1"));
    let layer = folder.path().join("blobs/sha256").join(image.layers()[0].hex());
    let mut bytes = std::fs::read(&layer).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    let from = Place::layout(folder.path(), Some(Label::Tag("v1".to_owned())));
    let to = tag(peer.remote().repository("app").unwrap(), "v1");
    assert_eq!(copy(&from, &to, &CopyOptions::default(), &()).unwrap_err().status(), Some(400));
    let other = tempfile::tempdir().unwrap();
    let to = Place::layout(other.path(), None);
    let error = copy(&from, &to, &CopyOptions::default(), &()).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    let listed = std::fs::read_to_string(other.path().join("index.json")).unwrap();
    assert!(listed.contains(OCI_INDEX) && !listed.contains("sha256:"), "{listed}");
}

#[test]
fn logs_in_to_write() {
    let Some(peer) = Peer::start(true) else { return };
    let as_whom = |password: Option<&str>| {
        let mut access = Access::default();
        access.anonymous = true;
        access.credentials = password.map(|password| Credentials::new("u", password));
        Remote::connect(peer.address(), &access).unwrap()
    };
    assert!(as_whom(None).ping().unwrap_err().is_denied());
    let wrong = as_whom(Some("x")).ping().unwrap_err();
    assert!(wrong.is_denied() && wrong.to_string().contains("credentials were refused"), "{wrong}");
    let repository = as_whom(Some("p")).repository("app").unwrap();
    let bytes = vec![7; 3 << 20];
    let digest = Digest::of(&bytes);
    repository.put_blob_from(&digest, bytes.len() as u64, &mut || Ok(Box::new(bytes.as_slice()))).unwrap();
    assert_eq!(repository.head_blob(&digest).unwrap(), Some(3 << 20));
}
