//! A finished image and the forms people keep images in.

use std::{collections::BTreeMap, fs, path::Path};

use boltseal_model::{Digest, Platform};
use serde_json::{Value, json};

use super::{Layer, stack::bytes};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image as blobs.
#[derive(Clone, Debug)]
pub struct Built {
    /// Names the manifest (or index) among the blobs.
    pub manifest: Digest,
    /// Names the configuration; that of the first image for an index.
    pub config: Digest,
    /// Of the manifest.
    pub media_type: &'static str,
    /// What it runs on; that of the first image for an index.
    pub platform: Platform,
    /// Everything: manifest, configuration, layers.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

/// One index over several images, each with its platform.
pub fn index(images: &[Built]) -> Built {
    let first = images.first().expect("an index of at least one image");
    let manifests: Vec<Value> = images.iter().map(|image| image.descriptor(None)).collect();
    let index = bytes(&json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }));
    let manifest = Digest::of(&index);
    let mut blobs: BTreeMap<Digest, Vec<u8>> = images.iter().flat_map(|image| image.blobs.clone()).collect();
    blobs.insert(manifest.clone(), index);
    Built { manifest, media_type: INDEX, blobs, ..first.clone() }
}

impl Built {
    /// The bytes of the manifest.
    pub fn manifest_bytes(&self) -> &[u8] {
        self.blobs.get(&self.manifest).expect("an image has its manifest")
    }

    /// The descriptors' digests of the layers, bottom first; none for an index.
    pub fn layers(&self) -> Vec<Digest> {
        let manifest: Value = serde_json::from_slice(self.manifest_bytes()).expect("a manifest is JSON");
        let layers = manifest.get("layers").and_then(Value::as_array).cloned().unwrap_or_default();
        layers.iter().filter_map(|layer| layer.get("digest")?.as_str()?.parse().ok()).collect()
    }

    /// Writes an OCI image layout into the folder `to`, tagged if `tag` is given.
    pub fn write_oci(&self, to: &Path, tag: Option<&str>) {
        for (name, content) in self.layout(tag) {
            let path = to.join(name);
            fs::create_dir_all(path.parent().expect("a path below `to`")).expect("a folder");
            fs::write(path, content).expect("a file");
        }
    }

    /// The bytes of an OCI archive: the layout as a tar file.
    pub fn oci_archive(&self, tag: Option<&str>) -> Vec<u8> {
        archive(self.layout(tag))
    }

    /// The bytes of what `docker save` writes, with plain layers, named by `tags`.
    pub fn docker_archive(&self, tags: &[&str]) -> Vec<u8> {
        let config = format!("{}.json", self.config.hex());
        let mut files = vec![(config.clone(), self.blob(&self.config))];
        let mut layers = Vec::new();
        for digest in self.layers() {
            let plain = plain(&self.blob(&digest));
            let name = format!("{}/layer.tar", Digest::of(&plain).hex());
            layers.push(name.clone());
            files.push((name, plain));
        }
        let manifest = json!([{ "Config": config, "RepoTags": tags, "Layers": layers }]);
        files.push(("manifest.json".to_owned(), bytes(&manifest)));
        archive(files)
    }

    /// Writes skopeo's `dir:` form into the folder `to`.
    pub fn write_dir(&self, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        fs::write(to.join("version"), "Directory Transport Version: 1.1\n").expect("a file");
        for (digest, content) in &self.blobs {
            let name = if *digest == self.manifest { "manifest.json".to_owned() } else { digest.hex() };
            fs::write(to.join(name), content).expect("a file");
        }
    }

    fn blob(&self, digest: &Digest) -> Vec<u8> {
        self.blobs.get(digest).cloned().expect("an image has its blobs")
    }

    fn descriptor(&self, tag: Option<&str>) -> Value {
        let mut descriptor = json!({
            "mediaType": self.media_type,
            "digest": self.manifest,
            "size": self.manifest_bytes().len(),
        });
        if let Some(object) = descriptor.as_object_mut() {
            if self.media_type != INDEX {
                object.insert("platform".to_owned(), json!(self.platform));
            }
            if let Some(tag) = tag {
                object.insert("annotations".to_owned(), json!({ "org.opencontainers.image.ref.name": tag }));
            }
        }
        descriptor
    }

    fn layout(&self, tag: Option<&str>) -> Vec<(String, Vec<u8>)> {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [self.descriptor(tag)] });
        let mut files = vec![
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), bytes(&index)),
        ];
        let blob = |(digest, content): (&Digest, &Vec<u8>)| {
            (format!("blobs/{}/{}", digest.algorithm().name(), digest.hex()), content.clone())
        };
        files.extend(self.blobs.iter().map(blob));
        files
    }
}

fn archive(files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    files.into_iter().fold(Layer::new(), |tar, (name, content)| tar.file(&name, content)).tar()
}

fn plain(blob: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match blob {
        [0x1f, 0x8b, ..] => {
            let mut reader = flate2::read::MultiGzDecoder::new(blob);
            std::io::Read::read_to_end(&mut reader, &mut out).expect("gzip that we wrote");
            out
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::decode_all(blob).expect("zstd that we wrote"),
        _ => blob.to_vec(),
    }
}
