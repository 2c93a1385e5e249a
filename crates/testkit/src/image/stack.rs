//! Layers under a configuration and a manifest.

use std::collections::BTreeMap;

use boltseal_model::{Digest, Platform};
use serde_json::{Value, json};

use super::{Built, Compression, Layer, Seekable};

/// Whose media types a manifest uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// OCI image specification.
    #[default]
    Oci,
    /// Docker image manifest version 2, schema 2.
    Docker,
}

/// An image under construction.
#[derive(Clone, Debug, Default)]
pub struct Image {
    layers: Vec<Seekable>,
    platform: Option<Platform>,
    flavour: Flavour,
    config: serde_json::Map<String, Value>,
}

impl Image {
    /// No layers, for the platform of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a gzip layer on top.
    #[must_use]
    pub fn layer(self, layer: Layer) -> Self {
        self.layer_as(layer, Compression::Gzip)
    }

    /// Adds a layer on top, stored as `compression` says.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "layers are built in place, and a reference would read worse"
    )]
    pub fn layer_as(self, layer: Layer, compression: Compression) -> Self {
        let tar = layer.tar();
        self.tar(tar, compression)
    }

    /// Adds any bytes as a layer.
    #[must_use]
    pub fn tar(self, tar: Vec<u8>, compression: Compression) -> Self {
        let blob = compression.pack(&tar);
        self.seekable(Seekable { tar, blob, compression, annotations: Value::Null })
    }

    /// Adds a layer that is stored already.
    #[must_use]
    pub fn seekable(mut self, layer: Seekable) -> Self {
        self.layers.push(layer);
        self
    }

    /// Sets the platform, such as `linux/arm64`.
    #[must_use]
    pub fn platform(mut self, platform: &str) -> Self {
        self.platform = Some(platform.parse().expect("a platform"));
        self
    }

    /// Sets whose media types are used.
    #[must_use]
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// Sets a property of the configuration's `config` object, such as `User`, `Env`, `Labels`.
    #[must_use]
    pub fn config(mut self, key: &str, value: Value) -> Self {
        self.config.insert(key.to_owned(), value);
        self
    }

    /// Makes the blobs.
    pub fn build(&self) -> Built {
        let platform = self.platform.clone().unwrap_or_else(Platform::host);
        let (image, config_type, layer_type) = self.media_types();
        let mut blobs = BTreeMap::new();
        let mut store = |bytes: Vec<u8>| {
            let digest = Digest::of(&bytes);
            let size = bytes.len();
            blobs.insert(digest.clone(), bytes);
            (digest, size)
        };
        let mut layers = Vec::new();
        for layer in &self.layers {
            let (digest, size) = store(layer.blob.clone());
            let mut listed =
                json!({ "mediaType": layer_type(layer.compression), "digest": digest, "size": size });
            if !layer.annotations.is_null() {
                merge(&mut listed, "annotations", layer.annotations.clone());
            }
            layers.push(listed);
        }
        let diff_ids: Vec<Digest> = self.layers.iter().map(|layer| Digest::of(&layer.tar)).collect();
        let history: Vec<Value> =
            (0..layers.len()).map(|step| json!({ "created_by": format!("step {step}") })).collect();
        let mut config = json!({
            "created": "2024-01-01T00:00:00Z",
            "os": platform.os,
            "architecture": platform.architecture,
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": history,
        });
        if let Some(variant) = &platform.variant {
            merge(&mut config, "variant", json!(variant));
        }
        let (config, size) = store(bytes(&config));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": image,
            "config": { "mediaType": config_type, "digest": config, "size": size },
            "layers": layers,
        });
        let (manifest, _) = store(bytes(&manifest));
        Built { manifest, config, media_type: image, platform, blobs }
    }

    fn media_types(&self) -> (&'static str, &'static str, fn(Compression) -> &'static str) {
        match self.flavour {
            Flavour::Oci => (
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.oci.image.config.v1+json",
                |compression| match compression {
                    Compression::Plain => "application/vnd.oci.image.layer.v1.tar",
                    Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
                    Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
                },
            ),
            Flavour::Docker => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
                |compression| match compression {
                    Compression::Plain => "application/vnd.docker.image.rootfs.diff.tar",
                    Compression::Gzip => "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    Compression::Zstd => "application/vnd.docker.image.rootfs.diff.tar.zstd",
                },
            ),
        }
    }
}

pub(super) fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON values serialise")
}

fn merge(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
