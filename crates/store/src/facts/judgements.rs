//! Judgements: durable jobs while pending, the gate's answer afterwards, and what it takes to judge again.

use std::collections::{HashMap, HashSet};

use boltseal_model::{Coverage, Digest, Finding, Gap, Omitted, Report, SnapshotInfo, Timestamp, Verdict};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Cause, Claims, Counts, Facts, Judgement, Material, Outcome, State, Topic,
    changes::{Basis, Numbers, write_findings},
    credentials::Observed,
    digest, milliseconds, search, signed,
};
use crate::Error;

/// zstd's fastest useful level: these texts shrink tenfold anyway.
const LEVEL: i32 = 1;
/// No report is larger unpacked; a larger one is damage.
const MAX_UNPACKED: usize = 512 << 20;

impl Facts {
    /// What the gate needs to know about an image.
    pub async fn judgement(&self, image: &Digest) -> Result<Option<Judgement>, Error> {
        let row =
            sqlx::query("SELECT state, verdict, error, attached, heeded FROM judgements WHERE digest = $1")
                .bind(image.to_string())
                .fetch_optional(&self.readers)
                .await?;
        row.as_ref().map(read_judgement).transpose()
    }

    /// Images whose verdict ends at or before `now`, the longest ended first.
    pub async fn expired(&self, now: Timestamp, limit: u64) -> Result<Vec<Digest>, Error> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT digest FROM judgements WHERE expires <= $1 AND state = $2 ORDER BY expires LIMIT $3",
        )
        .bind(milliseconds(now))
        .bind(State::Judged.word())
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|text| digest("judgements.digest", text)).collect()
    }

    /// When the next verdict ends by itself.
    pub async fn next_expiry(&self) -> Result<Option<Timestamp>, Error> {
        let next: Option<i64> = sqlx::query_scalar("SELECT MIN(expires) FROM judgements WHERE state = $1")
            .bind(State::Judged.word())
            .fetch_one(&self.readers)
            .await?;
        next.map(|value| super::time("judgements.expires", value)).transpose()
    }

    /// Writes down how judging ended, all in one transaction. Images deleted meanwhile are passed over.
    pub async fn record(&self, outcomes: Vec<(Digest, Outcome)>, now: Timestamp) -> Result<(), Error> {
        self.record_heeding(outcomes, HashMap::new(), now).await
    }

    /// The same, where the verdicts heeded so many changes of what is attached ([`Bearing::changes`](super::Bearing::changes)): read before it was.
    pub async fn record_heeding(
        &self,
        outcomes: Vec<(Digest, Outcome)>,
        heeded: HashMap<Digest, u64>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let packed = tokio::task::spawn_blocking(move || {
            outcomes
                .into_iter()
                .map(|(image, outcome)| Packed::new(&image, outcome, heeded.get(&image).copied()))
                .collect::<Result<Vec<_>, _>>()
        })
        .await
        .map_err(|_| Error::Closed)??;
        let now = milliseconds(now);
        self.writer
            .touching(Topic::Verdicts)
            .run(move |db| {
                Box::pin(async move {
                    let mut round = Round { now, described: HashSet::new(), numbers: Numbers::default() };
                    for outcome in packed {
                        outcome.write(db, &mut round).await?;
                    }
                    round.numbers.keep(db).await
                })
            })
            .await
    }

    /// What images are made of that were judged from another snapshot or policy than these, after `last`, in order of
    /// their digest.
    pub async fn outdated(
        &self,
        snapshot: Option<&str>,
        policy: &Digest,
        last: &str,
        limit: u64,
    ) -> Result<Vec<(Digest, Material)>, Error> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT digest, material FROM judgements WHERE digest > $1 AND material IS NOT NULL AND state = $2 \
             AND (snapshot IS DISTINCT FROM $3 OR policy_digest IS DISTINCT FROM $4) ORDER BY digest LIMIT $5",
        )
        .bind(last)
        .bind(State::Judged.word())
        .bind(snapshot)
        .bind(policy.to_string())
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        unpack_materials(rows).await
    }

    /// The first repository, in the order of names, that holds an image, and the media type it has there.
    pub async fn first_home(&self, image: &Digest) -> Result<Option<(String, String)>, Error> {
        sqlx::query_as(
            "SELECT repository, media_type FROM manifests WHERE digest = $1 ORDER BY repository LIMIT 1",
        )
        .bind(image.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::from)
    }

    /// What one image is made of.
    pub async fn material(&self, image: &Digest) -> Result<Option<Material>, Error> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT digest, material FROM judgements WHERE digest = $1 AND material IS NOT NULL",
        )
        .bind(image.to_string())
        .fetch_all(&self.readers)
        .await?;
        Ok(unpack_materials(rows).await?.pop().map(|(_, material)| material))
    }

    /// The whole report of an image, once it is judged.
    pub async fn report(&self, image: &Digest) -> Result<Option<Report>, Error> {
        let row = sqlx::query(
            "SELECT j.material, j.gaps, j.findings, j.verdict, j.claims, s.info FROM judgements j \
             LEFT JOIN snapshots s ON s.id = j.snapshot WHERE j.digest = $1 AND j.material IS NOT NULL",
        )
        .bind(image.to_string())
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let material: Vec<u8> = row.try_get("material")?;
        let findings: Option<Vec<u8>> = row.try_get("findings")?;
        let material: Material = unpack("judgements.material", &material)?;
        let gaps: Option<Vec<Gap>> = read_json("judgements.gaps", row.try_get("gaps")?)?;
        let claims: Option<Vec<u8>> = row.try_get("claims")?;
        let claims: Option<Claims> = claims.map(|bytes| unpack("judgements.claims", &bytes)).transpose()?;
        let Claims { signatures, bases, ignored, vex } = claims.unwrap_or_default();
        Ok(Some(Report {
            subject: material.subject,
            snapshot: read_json::<SnapshotInfo>("snapshots.info", row.try_get("info")?)?,
            coverage: Coverage::of(gaps.unwrap_or_default()),
            distro: material.catalog.distro,
            layers: material.layers,
            packages: material.catalog.packages,
            leaks: material.catalog.leaks,
            misconfigurations: material.catalog.misconfigurations,
            unowned: material.catalog.unowned,
            malware: material.catalog.malware,
            findings: findings.map_or(Ok(Vec::new()), |bytes| unpack("judgements.findings", &bytes))?,
            signatures,
            bases,
            vex,
            omitted: Omitted { ignored, ..Omitted::default() },
            verdict: read_json("judgements.verdict", row.try_get("verdict")?)?,
        }))
    }
}

/// What the outcomes of one transaction share.
struct Round {
    now: i64,
    /// The vulnerabilities whose description is written already: images share most.
    described: HashSet<String>,
    numbers: Numbers,
}

/// An outcome as columns; made outside the writing task, which must not wait for compression.
struct Packed {
    image: String,
    heeded: Option<u64>,
    content: Result<Box<Columns>, String>,
}

struct Columns {
    verdict: Option<Verdict>,
    snapshot: Option<SnapshotInfo>,
    counts: Counts,
    fixable: u64,
    packages: u64,
    complete: bool,
    gaps: String,
    material: Vec<u8>,
    findings: Vec<Finding>,
    findings_packed: Vec<u8>,
    content_hash: String,
    /// Name and version of each package.
    installed: Vec<(String, String)>,
    observed: Observed,
    /// Packed; absent where there is nothing to keep.
    claims: Option<Vec<u8>>,
}

impl Packed {
    fn new(image: &Digest, outcome: Outcome, heeded: Option<u64>) -> Result<Self, Error> {
        let content = match outcome {
            Outcome::Failed { error } => Err(error),
            Outcome::Judged { report, catalog_gaps } => Ok(Box::new(Columns::new(*report, catalog_gaps)?)),
        };
        Ok(Self { image: image.to_string(), heeded, content })
    }

    async fn write(self, db: &mut AnyConnection, round: &mut Round) -> Result<(), Error> {
        if let Some(heeded) = self.heeded {
            sqlx::query("UPDATE judgements SET heeded = $1 WHERE digest = $2")
                .bind(signed(heeded))
                .bind(&self.image)
                .execute(&mut *db)
                .await?;
        }
        match self.content {
            Ok(columns) => columns.write(db, &self.image, round).await,
            Err(error) => {
                sqlx::query(
                    "UPDATE judgements SET state = $1, error = $2, judged = $3, decision = NULL, decided = NULL, verdict = NULL, \
                     expires = NULL, claimed = 0 WHERE digest = $4",
                )
                .bind(State::Failed.word())
                .bind(error)
                .bind(round.now)
                .bind(self.image)
                .execute(db)
                .await?;
                Ok(())
            }
        }
    }
}

impl Columns {
    fn new(report: Report, catalog_gaps: Vec<Gap>) -> Result<Self, Error> {
        let findings_json = json(&report.findings)?;
        let named = report.packages.iter().map(|package| (package.name.clone(), package.version.clone()));
        let installed = named.collect();
        let observed = Observed::of(&report);
        let ignored = report.omitted.ignored;
        let claims = Claims { signatures: report.signatures, bases: report.bases, ignored, vex: report.vex };
        let claims = if claims.is_empty() { None } else { Some(pack(&json(&claims)?)?) };
        let material = Material {
            subject: report.subject,
            layers: report.layers,
            catalog: boltseal_model::Catalog {
                distro: report.distro,
                packages: report.packages,
                leaks: report.leaks,
                misconfigurations: report.misconfigurations,
                unowned: report.unowned,
                malware: report.malware,
                gaps: catalog_gaps,
            },
        };
        let material_json = json(&material)?;
        let mut both = material_json.clone();
        both.extend_from_slice(&findings_json);
        Ok(Self {
            verdict: report.verdict,
            snapshot: report.snapshot,
            counts: Counts::of(&report.findings),
            fixable: report.findings.iter().filter(|finding| finding.fixed.is_some()).count() as u64,
            packages: material.catalog.packages.len() as u64,
            complete: report.coverage.complete,
            gaps: String::from_utf8_lossy(&json(&report.coverage.gaps)?).into_owned(),
            material: pack(&material_json)?,
            content_hash: Digest::of(&both).to_string(),
            findings_packed: pack(&findings_json)?,
            installed,
            observed,
            claims,
            findings: report.findings,
        })
    }

    async fn write(&self, db: &mut AnyConnection, image: &str, round: &mut Round) -> Result<(), Error> {
        let before: Option<(Option<String>, Option<String>)> =
            sqlx::query_as("SELECT content_hash, snapshot FROM judgements WHERE digest = $1")
                .bind(image)
                .fetch_optional(&mut *db)
                .await?;
        let Some((hash, snapshot)) = before else { return Ok(()) };
        self.write_snapshot(db).await?;
        self.write_verdict(db, image, round.now).await?;
        self.observed.write_numbers(db, image).await?;
        if hash.as_deref() == Some(&self.content_hash) {
            return Ok(());
        }
        let known = sqlx::query("SELECT 1 FROM judgements WHERE digest = $1 AND material = $2")
            .bind(image)
            .bind(&self.material)
            .fetch_optional(&mut *db)
            .await?;
        if known.is_none() {
            sqlx::query("UPDATE judgements SET material = $1 WHERE digest = $2")
                .bind(&self.material)
                .bind(image)
                .execute(&mut *db)
                .await?;
            search::write_packages(db, image, &self.installed).await?;
        }
        self.observed.write_credentials(db, image, round.now).await?;
        sqlx::query("UPDATE judgements SET findings = $1, content_hash = $2 WHERE digest = $3")
            .bind(&self.findings_packed)
            .bind(&self.content_hash)
            .bind(image)
            .execute(&mut *db)
            .await?;
        let ours = self.snapshot.as_ref().map(|snapshot| snapshot.id.as_str());
        let cause = match (&hash, snapshot.as_deref()) {
            // Without vulnerability data nothing was found, and nothing said to be safe.
            (None, _) | (_, None) => Cause::Push,
            (Some(_), Some(theirs)) if Some(theirs) == ours => Cause::Scanner,
            (Some(_), Some(_)) => Cause::Feed,
        };
        let basis = Basis { cause, snapshot: ours, now: round.now };
        write_findings(db, image, basis, &self.findings, &mut round.numbers).await?;
        for finding in &self.findings {
            if round.described.insert(finding.id.clone()) {
                describe(db, finding).await?;
            }
        }
        Ok(())
    }

    async fn write_snapshot(&self, db: &mut AnyConnection) -> Result<(), Error> {
        let Some(snapshot) = &self.snapshot else { return Ok(()) };
        let info = String::from_utf8_lossy(&json(snapshot)?).into_owned();
        sqlx::query("INSERT INTO snapshots (id, info) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(&snapshot.id)
            .bind(info)
            .execute(db)
            .await?;
        Ok(())
    }

    async fn write_verdict(&self, db: &mut AnyConnection, image: &str, now: i64) -> Result<(), Error> {
        let verdict = self.verdict.as_ref();
        let text = verdict.map(json).transpose()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        sqlx::query(
            "UPDATE judgements SET state = $1, error = NULL, \
             decided = CASE WHEN decision IS DISTINCT FROM $2 OR decided IS NULL THEN $7 ELSE decided END, \
             decision = $2, verdict = $3, policy_digest = $4, \
             snapshot = $5, expires = $6, judged = $7, critical = $8, high = $9, medium = $10, low = $11, \
             negligible = $12, unknown = $13, fixable = $14, packages = $15, complete = $16, gaps = $17, claimed = 0, claims = $18 \
             WHERE digest = $19",
        )
        .bind(State::Judged.word())
        .bind(verdict.map(|verdict| verdict.decision.word()))
        .bind(text)
        .bind(verdict.map(|verdict| verdict.policy_digest.to_string()))
        .bind(self.snapshot.as_ref().map(|snapshot| snapshot.id.clone()))
        .bind(verdict.and_then(|verdict| verdict.expires).map(milliseconds))
        .bind(now)
        .bind(signed(self.counts.critical))
        .bind(signed(self.counts.high))
        .bind(signed(self.counts.medium))
        .bind(signed(self.counts.low))
        .bind(signed(self.counts.negligible))
        .bind(signed(self.counts.unknown))
        .bind(signed(self.fixable))
        .bind(signed(self.packages))
        .bind(i64::from(self.complete))
        .bind(&self.gaps)
        .bind(&self.claims)
        .bind(image)
        .execute(db)
        .await?;
        Ok(())
    }
}

/// What is known of a vulnerability, for its page.
async fn describe(db: &mut AnyConnection, finding: &Finding) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO vulnerabilities (id, title, finding) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET title = excluded.title, finding = excluded.finding \
         WHERE vulnerabilities.finding <> excluded.finding",
    )
    .bind(&finding.id)
    .bind(&finding.title)
    .bind(String::from_utf8_lossy(&json(finding)?).into_owned())
    .execute(db)
    .await?;
    Ok(())
}

fn read_judgement(row: &AnyRow) -> Result<Judgement, Error> {
    Ok(Judgement {
        state: State::read(row.try_get("state")?)?,
        verdict: read_json("judgements.verdict", row.try_get("verdict")?)?,
        error: row.try_get("error")?,
        heeded: row.try_get::<i64, _>("attached")? == row.try_get::<i64, _>("heeded")?,
    })
}

async fn unpack_materials(rows: Vec<(String, Vec<u8>)>) -> Result<Vec<(Digest, Material)>, Error> {
    let unpacked = tokio::task::spawn_blocking(move || {
        let one = |(name, bytes): (String, Vec<u8>)| {
            Ok((digest("judgements.digest", &name)?, unpack("judgements.material", &bytes)?))
        };
        rows.into_iter().map(one).collect()
    });
    unpacked.await.map_err(|_| Error::Closed)?
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|e| Error::corrupt("a value to store", &e))
}

fn read_json<T: DeserializeOwned>(what: &'static str, text: Option<&str>) -> Result<Option<T>, Error> {
    text.map(|text| serde_json::from_str(text).map_err(|e| Error::corrupt(what, &e))).transpose()
}

fn pack(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|e| Error::corrupt("a value to store", &e))
}

pub(super) fn unpack<T: DeserializeOwned>(what: &'static str, packed: &[u8]) -> Result<T, Error> {
    let bytes = zstd::bulk::Decompressor::upper_bound(packed).unwrap_or(MAX_UNPACKED).min(MAX_UNPACKED);
    let bytes = zstd::bulk::decompress(packed, bytes).map_err(|e| Error::corrupt(what, &e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::corrupt(what, &e))
}
