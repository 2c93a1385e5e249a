//! Reads `cves.txt` and `images.txt`.

use std::collections::BTreeMap;

use boltseal_model::{
    Cvss, Digest, Distro, Epss, Finding, Fix, Kev, Layer, Package, Proof, Severity, Source, Status, Timestamp,
};

/// A vulnerability, and the version that fixes it.
type Hit = (String, Option<String>);

/// One image of `images.txt`.
#[derive(Clone, Debug, Default)]
pub struct Described {
    pub repository: String,
    pub tags: Vec<String>,
    pub space: String,
    pub seconds_ago: i64,
    pub bytes: u64,
    pub pending: bool,
    pub failed: bool,
    pub gap: bool,
    /// Each with its vulnerabilities and their fixed versions.
    pub packages: Vec<(Package, Vec<Hit>)>,
}

/// All of them.
pub fn images() -> Vec<Described> {
    let mut images: Vec<Described> = Vec::new();
    for line in include_str!("images.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "image" => images.push(image(&words)),
            "package" => {
                let last = images.last_mut().unwrap();
                let package = package(&words, last);
                last.packages.push((package, Vec::new()));
            }
            cve => {
                let hits = &mut images.last_mut().unwrap().packages.last_mut().unwrap().1;
                hits.push((cve.to_owned(), words.get(1).map(|fixed| (*fixed).to_owned())));
            }
        }
    }
    images
}

fn image(words: &[&str]) -> Described {
    let days: f64 = words[4].parse().unwrap();
    let megabytes: u64 = words[5].parse().unwrap();
    let standing = words.get(6).copied();
    #[expect(clippy::cast_possible_truncation, reason = "days of a sample")]
    Described {
        repository: words[1].to_owned(),
        tags: words[2].split(',').map(str::to_owned).collect(),
        space: words[3].to_owned(),
        seconds_ago: (days * 86_400.0) as i64,
        bytes: megabytes * 1_000_000,
        pending: standing == Some("pending"),
        failed: standing == Some("failed"),
        gap: standing == Some("gap"),
        packages: Vec::new(),
    }
}

fn package(words: &[&str], image: &Described) -> Package {
    let [_, ecosystem, name, version, source, layer] = words else { panic!("not a package: {words:?}") };
    let distro = image.space.replace(':', "-");
    let purl = match *ecosystem {
        "debian" => format!("pkg:deb/debian/{name}@{version}?arch=amd64&distro={distro}"),
        "alpine" => format!("pkg:apk/alpine/{name}@{version}?arch=x86_64&distro={distro}"),
        other => format!("pkg:{other}/{}@{version}", name.to_lowercase()),
    };
    let path = match *ecosystem {
        "debian" => "var/lib/dpkg/status".to_owned(),
        "alpine" => "lib/apk/db/installed".to_owned(),
        "pypi" => format!("usr/lib/python3/dist-packages/{name}-{version}.dist-info/METADATA"),
        "npm" => format!("app/node_modules/{name}/package.json"),
        _ => "usr/local/bin/gateway".to_owned(),
    };
    Package {
        ecosystem: (*ecosystem).to_owned(),
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        purl,
        source: (*source != "-")
            .then(|| Source { name: (*source).to_owned(), version: (*version).to_owned() }),
        architecture: matches!(*ecosystem, "debian" | "alpine").then(|| "amd64".to_owned()),
        licenses: if *ecosystem == "debian" { Vec::new() } else { vec!["MIT".to_owned()] },
        paths: vec![path],
        layer: image.layers()[layer.parse::<usize>().unwrap()].digest.clone(),
        owner: None,
    }
}

impl Described {
    pub fn distro(&self) -> Distro {
        let (id, version) = self.space.split_once(':').unwrap();
        let name = match id {
            "debian" => format!("Debian GNU/Linux {version} (bookworm)"),
            _ => format!("Alpine Linux v{version}"),
        };
        Distro {
            id: id.to_owned(),
            end_of_life: boltseal_ecosystem::end_of_life(id, version),
            version: version.to_owned(),
            name,
        }
    }

    pub fn digest(&self) -> Digest {
        Digest::of(format!("{}{:?}", self.repository, self.tags).as_bytes())
    }

    /// The base of before, which has two layers, and what was built on it.
    fn is_old_base(&self) -> bool {
        self.repository == "platform/base" && self.tags == ["latest"]
    }

    pub fn layers(&self) -> Vec<Layer> {
        let shared = |index: usize| self.is_old_base() || (self.repository == "shop/storefront" && index < 2);
        let steps = [
            "/bin/sh -c #(nop) ADD file:6e3ad0f1c8 in / ",
            "RUN /bin/sh -c apt-get update && apt-get install --yes --no-install-recommends ca-certificates curl openssl && rm -rf /var/lib/apt/lists/* # buildkit",
            "COPY . /app # buildkit",
        ];
        let layer = |(index, step): (usize, &&str)| {
            let name = if shared(index) { "the old base" } else { &self.repository };
            Layer {
                digest: Some(Digest::of(format!("{name}{index}").as_bytes())),
                diff_id: Some(Digest::of(format!("{name}{index}!").as_bytes())),
                size: if shared(index) { 38_000_000 } else { self.bytes / (index as u64 * 2 + 1) / 2 },
                created_by: Some((*step).to_owned()),
            }
        };
        let all = if self.is_old_base() { 2 } else { 3 };
        steps.iter().take(all).enumerate().map(layer).collect()
    }

    pub fn findings(&self) -> Vec<Finding> {
        let cves = cves();
        let hits =
            self.packages.iter().flat_map(|(package, hits)| hits.iter().map(move |hit| (package, hit)));
        hits.map(|(package, (cve, fixed))| self.finding(&cves[cve.as_str()], package, fixed.as_deref()))
            .collect()
    }

    fn finding(&self, known: &Finding, package: &Package, fixed: Option<&str>) -> Finding {
        let ecosystem = boltseal_ecosystem::by_id(&package.ecosystem).unwrap();
        let space =
            ecosystem.space(package, Some(&self.distro())).unwrap_or_else(|| package.ecosystem.clone());
        let order = ecosystem.order_name();
        let installed = &package.version;
        Finding {
            package: package.name.clone(),
            purl: package.purl.clone(),
            installed: installed.clone(),
            fixed: fixed.map(str::to_owned),
            status: if fixed.is_some() { Status::Affected } else { Status::WillNotFix },
            fix: fixed.map(|fixed| Fix {
                version: fixed.to_owned(),
                command: ecosystem.fix_command(package, fixed),
            }),
            proof: Proof {
                layer: package.layer.clone(),
                path: package.paths[0].clone(),
                advisory: known.id.clone(),
                feed: if package.source.is_some() { "debian-tracker" } else { "osv:PyPI" }.to_owned(),
                matched: format!("{space}/{}", package.source_name()),
                range: fixed.map_or_else(|| ">= 0".to_owned(), |fixed| format!("< {fixed}")),
                comparison: match fixed {
                    Some(fixed) => format!("{installed} < {fixed} ({order})"),
                    None => format!("{installed}: no fixed version ({order})"),
                },
            },
            ..known.clone()
        }
    }
}

/// What is known about each vulnerability, whatever it hits.
fn cves() -> BTreeMap<&'static str, Finding> {
    include_str!("cves.txt")
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.splitn(9, ' ').collect();
            let [id, severity, score, vector, epss, percentile, kev, published, title] = words[..] else {
                panic!("not a vulnerability: {line}")
            };
            (id, known(id, severity, (score, vector), (epss, percentile), kev, published, title))
        })
        .collect()
}

fn known(
    id: &str,
    severity: &str,
    (score, vector): (&str, &str),
    (epss, percentile): (&str, &str),
    kev: &str,
    published: &str,
    title: &str,
) -> Finding {
    let published: Timestamp = format!("{published}T00:00:00Z").parse().unwrap();
    Finding {
        id: id.to_owned(),
        aliases: vec![format!("DEBIAN-{id}")],
        package: String::new(),
        purl: String::new(),
        installed: String::new(),
        fixed: None,
        fixed_on: None,
        severity: severity.parse::<Severity>().unwrap(),
        cvss: vec![Cvss { vector: vector.to_owned(), score: score.parse().unwrap() }],
        kev: (kev == "kev").then(|| Kev {
            added: "2023-11-21".parse().unwrap(),
            due: "2023-12-12".parse().ok(),
            ransomware: false,
        }),
        epss: Some(Epss { score: epss.parse().unwrap(), percentile: percentile.parse().unwrap() }),
        status: Status::Affected,
        fix: None,
        title: title.to_owned(),
        published: Some(published),
        references: vec![
            format!("https://nvd.nist.gov/vuln/detail/{id}"),
            format!("https://security-tracker.debian.org/tracker/{id}"),
        ],
        proof: Proof {
            layer: None,
            path: String::new(),
            advisory: String::new(),
            feed: String::new(),
            matched: String::new(),
            range: String::new(),
            comparison: String::new(),
        },
        statements: Vec::new(),
    }
}
