//! Images of many kinds, made from what registries serve on the day.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// An image: what its layers are made of.
pub struct Image {
    pub name: &'static str,
    /// Shell that makes `base.tar` or unpacks it, and may fill `root/`, which becomes a layer of its own.
    recipe: &'static str,
}

pub const ALL: &[Image] = &[
    Image {
        name: "alpine 3.11",
        recipe: r#"tar -xzf "$2/data/fixtures/images/alpine-311-docker-archive.tar.gz" --wildcards '*/layer.tar'
            mv ./*/layer.tar base.tar"#,
    },
    Image { name: "debian 11 minimal", recipe: "debian minbase bullseye" },
    Image { name: "debian 12 minimal", recipe: "debian minbase bookworm" },
    Image { name: "debian 12 standard", recipe: "debian standard bookworm" },
    Image { name: "debian 13 minimal", recipe: "debian minbase trixie" },
    Image {
        name: "ubuntu 24.04 minimal",
        recipe: "mmdebstrap --quiet --variant=minbase noble base.tar http://archive.ubuntu.com/ubuntu",
    },
    Image {
        name: "debian 12, services",
        recipe: "debian minbase bookworm --include=nginx,postgresql,redis-server,openssh-server,php-fpm,openjdk-17-jre-headless",
    },
    Image {
        name: "python",
        recipe: "debian minbase bookworm --include=python3
            pip install --quiet --target root/opt/app --only-binary=:all: --python-version 3.11 \
                django flask requests sqlalchemy celery numpy pandas cryptography aiohttp boto3 pillow pydantic",
    },
    Image {
        name: "node",
        recipe: "debian minbase bookworm
            mkdir -p root/app && cd root/app && npm init --yes >/dev/null
            npm install --silent --no-audit --no-fund express webpack eslint jest axios lodash react next@14 >/dev/null",
    },
    Image {
        name: "java",
        recipe: r#"debian minbase bookworm
            mkdir -p root/app && cat > pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>demo</groupId>
<artifactId>demo</artifactId><version>1</version><dependencies>
<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId><version>3.2.0</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.14.1</version></dependency>
<dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId><version>31.1-jre</version></dependency>
</dependencies></project>
POM
            mvn -q -B dependency:copy-dependencies -DoutputDirectory="$PWD/root/app/lib""#,
    },
    Image {
        name: "go",
        recipe: "debian minbase bookworm
            mkdir -p root/usr/local/bin
            GOFLAGS=-mod=mod GOBIN=$PWD/root/usr/local/bin go install github.com/google/go-containerregistry/cmd/crane@v0.20.2",
    },
];

/// Shared by recipes, and what packs the result.
const BEFORE: &str = r#"set -e; cd "$1"
debian() { variant=$1 release=$2; shift 2; mmdebstrap --quiet --variant=$variant "$@" $release base.tar; }
(
"#;
const AFTER: &str = r#"
) >&2
digest() { sha256sum "$1" | cut -d' ' -f1; }
diffs='"sha256:'$(digest base.tar)'"' layers='"base.tar"'
if [ -d root ]; then
    tar --sort=name --owner=0 --group=0 --numeric-owner -C root -cf app.tar .
    diffs=$diffs',"sha256:'$(digest app.tar)'"' layers=$layers',"app.tar"'
fi
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}' "$diffs" > config.json
printf '[{"Config":"config.json","RepoTags":["corpus:bench"],"Layers":[%s]}]' "$layers" > manifest.json
tar -cf archive.tar manifest.json config.json *.tar
skopeo --insecure-policy copy --quiet docker-archive:archive.tar oci:layout:bench
"#;

/// The folder with the layout of `image` below `folder`, made when it is not there.
pub fn make(image: &Image, folder: &Path) -> Result<PathBuf> {
    let place: String =
        image.name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let layout = folder.join(&place);
    if layout.is_dir() {
        return Ok(layout);
    }
    println!("making {}", image.name);
    let work = tempfile::tempdir_in(folder)?;
    let script = format!("{BEFORE}{}{AFTER}", image.recipe);
    let shared = boltseal_testkit::shared("").unwrap_or_default();
    let output = Command::new("sh").args(["-c", &script, "sh"]).arg(work.path()).arg(shared).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no word why"));
    }
    fs::rename(work.path().join("layout"), &layout).context("the layout was not made")?;
    Ok(layout)
}
