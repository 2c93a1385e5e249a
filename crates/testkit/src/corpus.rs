//! Catalogs of 732 real images, from the package URLs that others published about them.

use boltseal_model::{Catalog, Distro, Package, Source};

/// Image name and catalog, for every image of the shared corpus; packages of ecosystems we do not know are left out.
///
/// # Panics
/// Where the file is damaged, or missing and `BOLTSEAL_TEST_PEERS=required`.
#[expect(clippy::expect_used, reason = "a damaged fixture fails the test that wants it")]
pub fn corpus() -> Option<Vec<(String, Catalog)>> {
    let text = crate::unzstd("data/fixtures/sbom-corpus-732-images.ndjson.zst")?;
    let text = String::from_utf8(text).expect("UTF-8");
    let image = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let purls = json
            .get("purls")
            .and_then(|purls| purls.as_array())
            .expect("package URLs")
            .iter()
            .filter_map(|purl| purl.as_str());
        let mut catalog = Catalog::default();
        for (package, distro) in purls.filter_map(read) {
            catalog.distro = catalog.distro.take().or(distro);
            catalog.packages.push(package);
        }
        catalog.packages.sort();
        catalog.packages.dedup();
        (json.get("image").and_then(|name| name.as_str()).unwrap_or_default().to_owned(), catalog)
    };
    Some(text.lines().map(image).collect())
}

/// `pkg:deb/debian/libssl3@3.0.11?arch=amd64&upstream=openssl%403.0.11&distro=debian-12` as a package and its release.
fn read(purl: &str) -> Option<(Package, Option<Distro>)> {
    let (front, qualifiers) = purl.split_once('?').unwrap_or((purl, ""));
    let (kind, rest) = front.strip_prefix("pkg:")?.split_once('/')?;
    let (path, version) = rest.rsplit_once('@')?;
    let (ecosystem, folder) = match kind {
        "deb" => ("debian", "var/lib/dpkg/status"),
        "alpine" | "apk" => ("alpine", "lib/apk/db/installed"),
        "rpm" => ("rpm", "var/lib/rpm/rpmdb.sqlite"),
        "npm" | "pypi" | "golang" | "cargo" => (kind, "srv/app"),
        _ => return None,
    };
    let is_system = matches!(ecosystem, "debian" | "alpine" | "rpm");
    let name = if is_system { path.rsplit('/').next()? } else { path };
    let value = |key: &str| qualifiers.split('&').find_map(|pair| pair.strip_prefix(key)).map(plain);
    let epoch = value("epoch=").filter(|epoch| !epoch.is_empty() && epoch != "0");
    let version = epoch.map_or_else(|| plain(version), |epoch| format!("{epoch}:{}", plain(version)));
    let source = value("upstream=").map(|upstream| {
        let (name, other) = match source_rpm(&upstream) {
            Some(name) => (name, &*version),
            None => upstream.split_once('@').unwrap_or((&upstream, &version)),
        };
        Source { name: name.to_owned(), version: other.to_owned() }
    });
    let distro = value("distro=").and_then(|distro| {
        let (id, version) = distro.rsplit_once('-')?;
        Some(Distro {
            id: id.to_owned(),
            version: version.to_owned(),
            name: distro.clone(),
            end_of_life: None,
        })
    });
    let package = Package {
        ecosystem: ecosystem.to_owned(),
        name: plain(name),
        version,
        purl: purl.to_owned(),
        source,
        paths: vec![folder.to_owned()],
        ..Package::default()
    };
    Some((package, distro))
}

/// Name of the source package in `bash-5.1.8-6.el9_1.src.rpm`; its version is mostly that of the package.
fn source_rpm(file: &str) -> Option<&str> {
    let (name, _release) = file.strip_suffix(".src.rpm")?.rsplit_once('-')?;
    Some(name.rsplit_once('-')?.0)
}

/// Without percent-encoding.
fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_packages() {
        let (package, distro) = read(
            "pkg:deb/debian/bsdutils@1:2.36.1-8?arch=amd64&upstream=util-linux%402.36.1-8&distro=debian-11",
        )
        .unwrap();
        assert_eq!(
            (package.name.as_str(), package.source_name(), package.source_version()),
            ("bsdutils", "util-linux", "2.36.1-8")
        );
        assert_eq!(distro.unwrap().version, "11");
        let (package, distro) = read(
            "pkg:rpm/rhel/bind-libs@9.11.36-8.el8?arch=x86_64&epoch=32&upstream=bind-9.11.36-8.el8.src.rpm&distro=rhel-8.8",
        )
        .unwrap();
        assert_eq!((package.source_name(), package.source_version()), ("bind", "32:9.11.36-8.el8"));
        assert_eq!(distro.unwrap().id, "rhel");
        assert_eq!(read("pkg:npm/%40babel/core@7.0.0").unwrap().0.name, "@babel/core");
        assert!(read("pkg:generic/x@1").is_none());
    }
}
