//! What a manifest is: something a runtime can run, a list, or a document about something else.
//!
//! A gate that can be walked around by naming an image a signature is none. So the question is not what a manifest
//! calls itself but whether some runtime would run it: whether a layer is, or looks like, the layer of an image.

use std::io::Read;

use boltseal_image::manifest::{DOCKER_CONFIG, Descriptor, Document, Manifest, OCI_CONFIG};
use boltseal_model::{Digest, Platform};
use boltseal_store::{Blobs, Kind};
use serde::Deserialize;

/// Old Docker versions push configurations under this name, and runtimes take it for one.
const UNTYPED: &str = "application/octet-stream";
/// A tar header, and enough for every compression's magic.
const HEAD: usize = 512;
/// Bytes of a configuration that is read for its platform. Longer ones have no platform to show; they are still judged.
const MAX_CONFIG: u64 = 4 << 20;

/// What a manifest is.
pub(crate) fn kind(document: &Document, blobs: &Blobs) -> Kind {
    match document {
        Document::Index(_) => Kind::Index,
        Document::Manifest(manifest) if is_image(manifest, blobs) => Kind::Image,
        Document::Manifest(_) => Kind::Artifact,
    }
}

/// What an image runs on, by its configuration.
pub(crate) fn platform(manifest: &Manifest, blobs: &Blobs) -> Option<Platform> {
    #[derive(Deserialize)]
    struct Config {
        os: Option<String>,
        architecture: Option<String>,
        variant: Option<String>,
    }
    let bytes = blobs.content(&manifest.config.digest, MAX_CONFIG).ok()?;
    let config: Config = serde_json::from_slice(&bytes).ok()?;
    let variant = config.variant.filter(|variant| !variant.is_empty());
    let platform = Platform { os: config.os?, architecture: config.architecture?, variant };
    // Only what reads back is stored.
    platform.to_string().parse().ok()
}

/// Whether a layer's bytes are not expected here: the specification lets such layers stay where they are.
pub(crate) fn is_foreign(layer: &Descriptor) -> bool {
    layer.media_type.contains(".nondistributable.") || layer.media_type.contains(".foreign.")
}

fn is_image(manifest: &Manifest, blobs: &Blobs) -> bool {
    if manifest.layers.iter().any(|layer| is_layer_type(&layer.media_type)) {
        return true;
    }
    if !matches!(manifest.config.media_type.as_str(), OCI_CONFIG | DOCKER_CONFIG | UNTYPED) {
        return false;
    }
    if manifest.layers.is_empty() {
        return manifest.artifact_type.is_none();
    }
    manifest.layers.iter().any(|layer| looks_like_layer(&layer.digest, blobs))
}

/// The media types of image layers, in all their compressions, foreign and encrypted ones included.
fn is_layer_type(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.")
        || media_type.starts_with("application/vnd.docker.container.image.rootfs.")
}

/// Some runtimes apply a layer whatever its media type says. A blob that cannot be read is taken for one.
fn looks_like_layer(digest: &Digest, blobs: &Blobs) -> bool {
    let mut head = Vec::with_capacity(HEAD);
    let read = blobs.read(digest).map(|(file, _)| file.take(HEAD as u64).read_to_end(&mut head));
    !matches!(read, Ok(Ok(_))) || looks_like_archive(&head)
}

fn looks_like_archive(head: &[u8]) -> bool {
    const MAGIC: [&[u8]; 5] =
        [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], b"BZh", &[0xfd, b'7', b'z', b'X', b'Z', 0], b"PK\x03\x04"];
    // zstd streams may begin with a skippable frame: 0x184D2A5? in little endian.
    let skippable = matches!(head, [low, 0x2a, 0x4d, 0x18, ..] if low & 0xf0 == 0x50);
    MAGIC.iter().any(|magic| head.starts_with(magic)) || skippable || is_tar_header(head)
}

/// A tar header is known by its checksum; old ones have no magic word.
fn is_tar_header(head: &[u8]) -> bool {
    let (Some(header), Some(field)) = (head.get(..HEAD), head.get(148..156)) else { return false };
    let text: String = field.iter().map(|byte| char::from(*byte)).collect();
    let Ok(written) = u32::from_str_radix(text.trim_matches([' ', '\0']), 8) else { return false };
    let around = header.iter().enumerate().filter(|(place, _)| !(148..156).contains(place));
    let sum: u32 = around.map(|(_, byte)| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
    sum == written
}

#[cfg(test)]
mod tests {
    use boltseal_image::manifest::parse;

    use super::*;

    const SIGNATURE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

    fn tar_header() -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..4].copy_from_slice(b"{etc");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum::<u32>() + 8 * 32;
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }

    #[test]
    fn what_could_run_is_an_image_whatever_it_calls_itself() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let json = blobs.put(b"{\"critical\":{}}").unwrap();
        let gzip = blobs.put(b"\x1f\x8b\x08...").unwrap();
        let tar = blobs.put(&tar_header()).unwrap();
        let absent = Digest::of(b"absent");
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let (helm, empty) = ("application/vnd.cncf.helm.config.v1+json", "application/vnd.oci.empty.v1+json");
        let cases = [
            ("plain image", OCI_CONFIG, None, vec![(layer, &gzip)], Kind::Image),
            ("image that claims a type", OCI_CONFIG, Some("x/y"), vec![(layer, &gzip)], Kind::Image),
            ("image with another configuration", empty, Some("x/y"), vec![(layer, &gzip)], Kind::Image),
            ("legacy signature", OCI_CONFIG, None, vec![(SIGNATURE, &json)], Kind::Artifact),
            ("tar that claims to be a signature", OCI_CONFIG, None, vec![(SIGNATURE, &tar)], Kind::Image),
            (
                "gzip among signatures",
                OCI_CONFIG,
                None,
                vec![(SIGNATURE, &json), (SIGNATURE, &gzip)],
                Kind::Image,
            ),
            ("layer that is not here", OCI_CONFIG, None, vec![(SIGNATURE, &absent)], Kind::Image),
            ("untyped configuration", UNTYPED, None, vec![("x/y", &gzip)], Kind::Image),
            ("no layers", OCI_CONFIG, None, vec![], Kind::Image),
            ("artifact without layers", OCI_CONFIG, Some("x/y"), vec![], Kind::Artifact),
            (
                "chart",
                helm,
                None,
                vec![("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &gzip)],
                Kind::Artifact,
            ),
            ("bundle", empty, Some(SIGNATURE), vec![(SIGNATURE, &json)], Kind::Artifact),
        ];
        for (name, config, artifact_type, layers, expected) in cases {
            let descriptor = |(media_type, digest): (&str, &Digest)| serde_json::json!({"mediaType": media_type, "digest": digest, "size": 1});
            let mut manifest = serde_json::json!({
                "schemaVersion": 2,
                "config": descriptor((config, &json)),
                "layers": layers.into_iter().map(descriptor).collect::<Vec<_>>(),
            });
            if let Some(artifact_type) = artifact_type {
                manifest["artifactType"] = artifact_type.into();
            }
            let document = parse(manifest.to_string().as_bytes(), None).unwrap();
            assert_eq!(kind(&document, &blobs), expected, "{name}");
        }
    }
}
