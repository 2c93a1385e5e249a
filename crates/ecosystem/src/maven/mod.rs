//! Java libraries, as Maven and Gradle name them: `group:artifact`.
//!
//! | what | where |
//! |---|---|
//! | packages | jars, wars, ears and the like, also inside each other: `META-INF/maven/*/*/pom.properties` or `pom.xml`, of which a shaded jar has several; without those, `META-INF/MANIFEST.MF` and the name of the file (JAR file specification) |
//! | lock files | `pom.xml` with its parents in the same folder tree, `gradle.lockfile`, `buildscript-gradle.lockfile`, `gradle/verification-metadata.xml` |
//! | advisories | by `group:artifact`: `maven` |
//! | order | Maven 3.9 |
//!
//! A jar is boiled down to the libraries in it while the image streams by: see [`jar`].

mod gradle;
mod groups;
mod identity;
mod installed;
pub mod jar;
mod pom;
mod version;

use std::cmp::Ordering;

use boltseal_model::{Catalog, Distro, FileMeta, Package, Tree, Want};

use crate::{Ecosystem, VersionError, lock, shell};

/// See the [module](self).
pub struct Maven;

impl Ecosystem for Maven {
    fn id(&self) -> &'static str {
        "maven"
    }

    fn want(&self, path: &str, _meta: &FileMeta) -> Want {
        if jar::is_one(path) {
            Want::Distilled
        } else if installed::is_unpacked(path) {
            Want::Whole
        } else {
            Want::Skip
        }
    }

    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(if jar::is_one(path) { jar::distill(path, bytes) } else { None })
    }

    fn catalog(&self, tree: &Tree, _distro: Option<&Distro>, out: &mut Catalog) {
        installed::catalog(tree, out);
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        match lock::file_name(path) {
            "pom.xml" if !path.contains("META-INF/maven/") => Some(pom::read),
            _ => gradle::reader(path),
        }
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(a, b)
    }

    fn order_name(&self) -> &'static str {
        version::NAME
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        // `Maven:https://…` names another repository than the central one; its libraries have the same names.
        (osv_ecosystem.split(':').next() == Some("Maven")).then(|| "maven".to_owned())
    }

    fn fix_command(&self, package: &Package, fixed: &str) -> String {
        format!(
            "mvn versions:use-dep-version -DforceVersion=true -Dincludes={} -DdepVersion={}",
            shell::quote(&package.name),
            shell::quote(fixed)
        )
    }
}
