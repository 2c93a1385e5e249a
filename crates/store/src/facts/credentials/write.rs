//! What a look at an image found besides packages, as columns; and what of it stays when the image goes.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{Leak, Report};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use sqlx::AnyConnection;

use super::{
    super::{about::cut, milliseconds, signed, sql::Query},
    rank,
};
use crate::Error;

/// Rows of one statement: seven values each stay below the number that every build of SQLite takes (999).
const ROWS: usize = 140;
/// Bytes of a place that are kept: PostgreSQL has no entry of an index above some 2,700 bytes.
const MAX_PLACE: usize = 1_000;
/// Bytes of a rule's name and title that are kept: rules may be anybody's.
const MAX_NAME: usize = 200;

/// What was seen in one image.
pub(in super::super) struct Observed {
    leaks: Vec<Leak>,
    secrets: u64,
    misconfigurations: u64,
    unowned: u64,
    malware: u64,
    unsupported: Option<i64>,
    recognised: bool,
}

impl Observed {
    pub(in super::super) fn of(report: &Report) -> Self {
        let leaks = report.leaks.clone().unwrap_or_default();
        let different: BTreeSet<_> = leaks
            .iter()
            .filter(|leak| leak.counts())
            .map(|leak| (leak.number, leak.number.is_none().then_some((&leak.place, &leak.rule))))
            .collect();
        Self {
            secrets: different.len() as u64,
            recognised: report.leaks.is_some() && leaks.iter().all(|leak| leak.fingerprint.is_some()),
            misconfigurations: report.misconfigurations.len() as u64,
            unowned: report.unowned.len() as u64,
            malware: report.malware.len() as u64,
            unsupported: report.distro.as_ref().and_then(|distro| distro.end_of_life).and_then(after),
            leaks,
        }
    }

    /// The numbers, which stand beside the verdict.
    pub(in super::super) async fn write_numbers(
        &self,
        db: &mut AnyConnection,
        image: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE judgements SET secrets = $1, misconfigurations = $2, unowned = $3, malware = $4, \
             unsupported = $5, recognised = $6 WHERE digest = $7",
        )
        .bind(signed(self.secrets))
        .bind(signed(self.misconfigurations))
        .bind(signed(self.unowned))
        .bind(signed(self.malware))
        .bind(self.unsupported)
        .bind(i64::from(self.recognised))
        .bind(image)
        .execute(db)
        .await?;
        Ok(())
    }

    /// The credentials, in place of what was known of this image.
    pub(in super::super) async fn write_credentials(
        &self,
        db: &mut AnyConnection,
        image: &str,
        now: i64,
    ) -> Result<(), Error> {
        sqlx::query("DELETE FROM leaks WHERE digest = $1").bind(image).execute(&mut *db).await?;
        let known = || self.leaks.iter().filter_map(|leak| Some((leak.fingerprint?, leak)));
        let mut each: BTreeMap<_, Vec<&Leak>> = BTreeMap::new();
        for (fingerprint, leak) in known() {
            each.entry(fingerprint).or_default().push(leak);
        }
        let each: Vec<_> = each.into_iter().collect();
        for some in each.chunks(ROWS) {
            let mut insert = Query::new(
                "INSERT INTO credentials (fingerprint, rule, title, confidence, published, first_seen, last_seen) ",
            );
            insert.push_values(some, |row, (fingerprint, leaks)| {
                let surest = leaks.iter().max_by_key(|leak| leak.confidence);
                let text = |of: fn(&Leak) -> &str| surest.map_or("", |leak| of(leak)).to_owned();
                row.push_bind(fingerprint.to_string())
                    .push_bind(cut(&text(|leak| &leak.rule), MAX_NAME))
                    .push_bind(cut(&text(|leak| &leak.title), MAX_NAME))
                    .push_bind(surest.map_or(0, |leak| rank(leak.confidence)))
                    .push_bind(i64::from(leaks.iter().all(|leak| leak.package.is_some())))
                    .push_bind(now)
                    .push_bind(now);
            });
            insert.push(
                " ON CONFLICT (fingerprint) DO UPDATE SET \
                 first_seen = CASE WHEN excluded.first_seen < credentials.first_seen THEN excluded.first_seen ELSE credentials.first_seen END, \
                 last_seen = CASE WHEN excluded.last_seen > credentials.last_seen THEN excluded.last_seen ELSE credentials.last_seen END, \
                 published = CASE WHEN excluded.published < credentials.published THEN excluded.published ELSE credentials.published END, \
                 rule = CASE WHEN excluded.confidence > credentials.confidence THEN excluded.rule ELSE credentials.rule END, \
                 title = CASE WHEN excluded.confidence > credentials.confidence THEN excluded.title ELSE credentials.title END, \
                 confidence = CASE WHEN excluded.confidence > credentials.confidence THEN excluded.confidence ELSE credentials.confidence END",
            );
            insert.build().execute(&mut *db).await?;
        }
        let places: Vec<_> = known().collect();
        for some in places.chunks(ROWS) {
            let mut insert =
                Query::new("INSERT INTO leaks (fingerprint, digest, place, layer, hidden, package) ");
            insert.push_values(some, |row, (fingerprint, leak)| {
                row.push_bind(fingerprint.to_string())
                    .push_bind(image)
                    .push_bind(cut(&leak.place.to_string(), MAX_PLACE))
                    .push_bind(leak.layer.as_ref().map(ToString::to_string))
                    .push_bind(i64::from(leak.hidden))
                    .push_bind(leak.package.as_deref().map(|name| cut(name, MAX_NAME)));
            });
            insert.push(" ON CONFLICT DO NOTHING");
            insert.build().execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// The image is gone; that its credentials were seen until now stays.
pub(in super::super) async fn forget(db: &mut AnyConnection, image: &str, now: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE credentials SET last_seen = $1 WHERE fingerprint IN (SELECT fingerprint FROM leaks WHERE digest = $2)",
    )
    .bind(now)
    .bind(image)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM leaks WHERE digest = $1").bind(image).execute(db).await?;
    Ok(())
}

/// The first moment after a day, UTC.
fn after(day: Date) -> Option<i64> {
    let next = day.checked_add(1.day()).ok()?;
    next.to_zoned(TimeZone::UTC).ok().map(|start| milliseconds(start.timestamp()))
}
