//! What is pushed: layers of bytes that do not compress, no two alike, and images of them.

use std::sync::Arc;

use anyhow::Result;
use boltseal_model::{Algorithm, Digest, Hasher};
use boltseal_testkit::image::Layer;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Bytes of a layer before what all layers of its size share: a tar header, and the layer's own number.
const OWN: usize = 512 + 16;

/// Bytes on their way to a server, in two parts, of which many blobs share the second.
#[derive(Clone, Debug)]
pub struct Blob {
    own: Vec<u8>,
    shared: Arc<[u8]>,
    from: usize,
    pub digest: Digest,
}

impl Blob {
    pub fn parts(&self) -> [&[u8]; 2] {
        [&self.own, self.shared.get(self.from..).unwrap_or_default()]
    }

    pub fn size(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }

    fn small(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), own: bytes, shared: Arc::from([]), from: 0 }
    }
}

/// Layers of one size: a plain tar of one file.
#[derive(Clone, Debug)]
pub struct Layers {
    template: Arc<[u8]>,
}

impl Layers {
    pub fn of(size: usize) -> Self {
        Self { template: Layer::new().file("noise", noise(size)).tar().into() }
    }

    /// The layer with this number; the same every time.
    pub fn number(&self, number: u64) -> Blob {
        let mut own = self.template.get(..OWN).unwrap_or_default().to_vec();
        own[512..520].copy_from_slice(&number.to_le_bytes());
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&own);
        hasher.update(self.template.get(OWN..).unwrap_or_default());
        Blob { own, shared: Arc::clone(&self.template), from: OWN, digest: hasher.finish() }
    }
}

/// An image: what its manifest says, and what that points to.
#[derive(Clone, Debug)]
pub struct Image {
    /// The configuration is the last.
    pub blobs: Vec<Blob>,
    pub manifest: Vec<u8>,
}

impl Image {
    pub fn of(layers: Vec<Blob>) -> Result<Self> {
        Self::annotated(layers, 0)
    }

    /// With an annotation of this many bytes in its manifest.
    pub fn annotated(layers: Vec<Blob>, annotation: usize) -> Result<Self> {
        // A plain tar is its own diff id.
        let diff_ids: Vec<String> = layers.iter().map(|layer| layer.digest.to_string()).collect();
        let config = Blob::small(serde_json::to_vec(&serde_json::json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }))?);
        let entry = |kind: &str, blob: &Blob| serde_json::json!({"mediaType": kind, "size": blob.size(), "digest": blob.digest.to_string()});
        let mut manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": entry(CONFIG, &config),
            "layers": layers.iter().map(|layer| entry(LAYER, layer)).collect::<Vec<_>>(),
        });
        if annotation > 0 {
            manifest["annotations"] = serde_json::json!({"bench.example/filler": "x".repeat(annotation)});
        }
        let blobs = layers.into_iter().chain([config]).collect();
        Ok(Self { blobs, manifest: serde_json::to_vec(&manifest)? })
    }

    /// Built long ago, with its own configuration: there are as many of them as numbers.
    pub fn old(layer: &Blob, number: usize) -> Result<Self> {
        let mut image = Self::of(vec![layer.clone()])?;
        let config = Blob::small(serde_json::to_vec(&serde_json::json!({
            "architecture": "amd64", "os": "linux", "created": "2021-03-04T05:06:07Z",
            "config": {"Labels": {"bench.example/number": number.to_string()}},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest.to_string()]},
        }))?);
        let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest)?;
        manifest["config"]["size"] = config.size().into();
        manifest["config"]["digest"] = config.digest.to_string().into();
        image.blobs = vec![layer.clone(), config];
        image.manifest = serde_json::to_vec(&manifest)?;
        Ok(image)
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

/// The same bytes every time (xorshift64*).
fn noise(size: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
