//! The images that are scanned: a base, an application on it, and the base with a table of contents.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use boltseal_model::Digest;
use boltseal_testkit::image::{Compression, Image, Layer, Seekable};
use serde_json::{Value, json};

/// An image in an OCI layout.
pub struct Layout {
    pub folder: PathBuf,
    pub manifest: Digest,
}

impl Layout {
    /// The only image of the layout at `target`, which is `oci:FOLDER[:TAG]`.
    pub fn at(target: &str) -> Result<Self> {
        let folder = target.strip_prefix("oci:").context("the image must be oci:FOLDER")?;
        let folder = PathBuf::from(folder.split(':').next().unwrap_or(folder));
        let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json"))?)?;
        let digest = index["manifests"][0]["digest"].as_str().context("a layout without images")?;
        Ok(Self { manifest: digest.parse()?, folder })
    }

    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }

    fn json(&self, digest: &Digest) -> Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.blob(digest))?)?)
    }

    fn put(&self, content: &[u8]) -> Result<Value> {
        let digest = Digest::of(content);
        fs::write(self.blob(&digest), content)?;
        Ok(json!({ "digest": digest, "size": content.len() }))
    }

    /// Another image in the same folder, with a small layer on top.
    pub fn with_application(&self) -> Result<Self> {
        let package = |n: u32| format!("{{\"name\": \"package-{n}\", \"version\": \"1.{n}.0\"}}");
        let layer = (0..200).fold(Layer::new(), |layer, n| {
            let folder = format!("app/node_modules/package-{n}");
            layer
                .file(&format!("{folder}/package.json"), package(n))
                .file(&format!("{folder}/index.js"), format!("module.exports = {n};\n").repeat(200))
        });
        let mut manifest = self.json(&self.manifest)?;
        let mut config = self.json(&manifest["config"]["digest"].as_str().context("no config")?.parse()?)?;
        let diff_ids = config["rootfs"]["diff_ids"].as_array_mut().context("no diff_ids")?;
        diff_ids.push(json!(Digest::of(&layer.tar())));
        if let Some(config) = config.as_object_mut() {
            config.remove("history");
        }
        let mut listed = self.put(&Compression::Gzip.pack(&layer.tar()))?;
        listed["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
        manifest["layers"].as_array_mut().context("no layers")?.push(listed);
        let stored = self.put(&serde_json::to_vec(&config)?)?;
        manifest["config"]["digest"] = stored["digest"].clone();
        manifest["config"]["size"] = stored["size"].clone();
        let stored = self.put(&serde_json::to_vec(&manifest)?)?;
        let manifest = stored["digest"].as_str().context("a digest")?.parse()?;
        Ok(Self { folder: self.folder.clone(), manifest })
    }

    /// A copy in `to`, so that nobody's layout is written to.
    pub fn copied(&self, to: &Path) -> Result<Self> {
        let status = Command::new("cp").arg("-r").arg(&self.folder).arg(to).status()?;
        ensure!(status.success(), "cp failed");
        Ok(Self { folder: to.to_owned(), manifest: self.manifest.clone() })
    }

    /// The files of its layers, the lowest first.
    pub fn layers(&self) -> Result<Vec<PathBuf>> {
        let manifest = self.json(&self.manifest)?;
        let layers = manifest["layers"].as_array().context("no layers")?;
        let digests = layers.iter().map(|layer| layer["digest"].as_str().context("a layer without digest"));
        digests.map(|digest| Ok(self.blob(&digest?.parse()?))).collect()
    }

    /// The archive of the lowest layer.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let manifest = self.json(&self.manifest)?;
        let digest: Digest = manifest["layers"][0]["digest"].as_str().context("no layers")?.parse()?;
        let kind = manifest["layers"][0]["mediaType"].as_str().unwrap_or_default();
        let unpack = if kind.ends_with("zstd") { "zstd" } else { "gzip" };
        let output = Command::new(unpack).arg("-dc").arg(self.blob(&digest)).output()?;
        ensure!(output.status.success(), "{unpack} failed");
        Ok(output.stdout)
    }
}

/// An image of one layer, in the folder `to`.
pub fn seekable(layer: Seekable, to: &Path) -> Result<Layout> {
    let built = Image::new().seekable(layer).build();
    built.write_oci(to, None);
    Layout::at(&format!("oci:{}", to.display()))
}
