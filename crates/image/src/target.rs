//! What people write to name an image.

use std::{
    fs,
    path::{Path, PathBuf},
};

use boltseal_model::{Reference, Selector};

use crate::{
    Error, Image, Options,
    error::shown,
    source::{archive::Archive, docker, files::Folder, folder, layout, registry, rootfs},
};

/// Transports of skopeo and podman that need a running engine, and what to do instead.
const ENGINES: [(&str, &str); 4] = [
    ("docker-daemon:", "run `docker save IMAGE -o image.tar` and open docker-archive:image.tar"),
    ("containers-storage:", "run `podman save IMAGE -o image.tar` and open docker-archive:image.tar"),
    ("ostree:", "copy it with skopeo to oci:FOLDER"),
    ("tarball:", "open the folder or archive with rootfs:PATH"),
];

/// Transports of images that lie in files.
const FILES: [&str; 5] = ["oci:", "oci-archive:", "docker-archive:", "dir:", "rootfs:"];

/// Opens the image that `target` names.
///
/// | target | image |
/// |---|---|
/// | `docker://HOST/REPOSITORY[:TAG][@DIGEST]` | in a registry |
/// | `oci:FOLDER[:TAG]` | in an OCI image layout |
/// | `oci-archive:FILE[:TAG]` | in an OCI image layout in a tar archive |
/// | `docker-archive:FILE[:REFERENCE]` | as `docker save` writes it, also compressed |
/// | `dir:FOLDER` | as `skopeo copy … dir:` writes it |
/// | `rootfs:PATH` | a folder, or a tar archive, that is a root file system |
/// | a path that exists | whatever of these its content is |
/// | `REPOSITORY[:TAG][@DIGEST]` | in a registry |
pub fn open(target: &str, selector: &dyn Selector, options: &Options<'_>) -> Result<Image, Error> {
    if let Some(reference) = target.strip_prefix("docker://") {
        let reference: Reference = reference
            .parse()
            .map_err(|why: boltseal_model::ReferenceError| Error::target(target, why.to_string()))?;
        return registry::open(&reference, target, selector, options);
    }
    if let Some((engine, advice)) = ENGINES.iter().find(|(engine, _)| target.starts_with(engine)) {
        return Err(Error::target(target, format!("{engine} needs an engine; {advice}")));
    }
    let Some((transport, rest)) = target.split_once(':') else { return bare(target, selector, options) };
    match transport {
        "oci" => {
            let (path, tag) = split(rest);
            layout::open(&Folder(path.into()), tag, target, selector, options)
        }
        "oci-archive" => {
            let (path, tag) = split(rest);
            layout::open(&Archive::open(Path::new(path), &options.limits)?, tag, target, selector, options)
        }
        "docker-archive" => {
            let (path, wanted) = split(rest);
            docker::open(&Archive::open(Path::new(path), &options.limits)?, wanted, target, selector, options)
        }
        "dir" => folder::open(&Folder(rest.into()), target, selector, options),
        "rootfs" => rootfs::open(Path::new(rest), target, selector, options),
        _ => bare(target, selector, options),
    }
}

/// The transport of an image that lies in files, colon included, where `target` says one.
pub fn transport(target: &str) -> Option<&'static str> {
    FILES.into_iter().find(|transport| target.starts_with(transport))
}

/// Whether [`open`] looks for `target` in a registry: `docker://` may be left out of what is no path.
pub fn is_in_registry(target: &str) -> bool {
    let engine = || ENGINES.iter().any(|(engine, _)| target.starts_with(engine));
    let path = || target.starts_with(['/', '.', '~']) || Path::new(target).exists();
    target.starts_with("docker://") || !(transport(target).is_some() || engine() || path())
}

/// The folder of the OCI image layout that `target` names, and which image in it; nothing where it names anything else.
pub fn layout_of(target: &str) -> Option<(PathBuf, Option<&str>)> {
    let (path, tag) = match target.strip_prefix("oci:") {
        Some(rest) => split(rest),
        None => (target, None),
    };
    Path::new(path).join("oci-layout").is_file().then(|| (path.into(), tag))
}

/// Path, and what follows a colon or stands behind `@`. A path that exists as a whole is one.
fn split(rest: &str) -> (&str, Option<&str>) {
    if Path::new(rest).exists() {
        return (rest, None);
    }
    if let Some(at) = rest.find("@sha256:").or_else(|| rest.find("@sha512:")) {
        let (path, digest) = rest.split_at(at);
        return (path.strip_suffix(':').unwrap_or(path), Some(digest));
    }
    // References hold colons themselves: the shortest path that exists wins, as the first colon does in skopeo.
    let splits = rest.match_indices(':').filter_map(|(at, _)| Some((rest.get(..at)?, rest.get(at + 1..))));
    let existing = splits.clone().find(|(path, _)| Path::new(path).exists());
    existing.or_else(|| splits.clone().next()).unwrap_or((rest, None))
}

/// A path that exists is what its content says; anything else is a reference.
fn bare(target: &str, selector: &dyn Selector, options: &Options<'_>) -> Result<Image, Error> {
    let path = Path::new(target);
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => recognised_folder(path, target, selector, options),
        Ok(_) => recognised_file(path, target, selector, options),
        Err(error) if target.starts_with(['/', '.', '~']) => Err(Error::io(shown(target), error)),
        Err(_) => {
            let reference: Reference =
                target.parse().map_err(|source| Error::Reference { target: shown(target), source })?;
            registry::open(&reference, target, selector, options)
        }
    }
}

fn recognised_folder(
    path: &Path,
    target: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let files = Folder(path.to_owned());
    let has = |name: &str| path.join(name).is_file();
    if has("oci-layout") {
        layout::open(&files, None, target, selector, options)
    } else if has("manifest.json") && has("version") {
        folder::open(&files, target, selector, options)
    } else {
        rootfs::open(path, target, selector, options)
    }
}

fn recognised_file(
    path: &Path,
    target: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let archive = match Archive::open(path, &options.limits) {
        Ok(archive) => archive,
        // Too many files for an image's archive: then it is a root file system.
        Err(Error::Malformed { .. }) => return rootfs::open(path, target, selector, options),
        Err(other) => return Err(other),
    };
    // Newer `docker save` writes both lists; only the OCI one knows the manifest's digest.
    if archive.has("oci-layout") || archive.has("index.json") {
        layout::open(&archive, None, target, selector, options)
    } else if archive.has("manifest.json") {
        docker::open(&archive, None, target, selector, options)
    } else {
        rootfs::open(path, target, selector, options)
    }
}
