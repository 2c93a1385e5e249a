//! What manifests say of themselves: when they were built, on which base, their labels and layers. Written with the
//! push, by digest, whatever repositories hold it; read for searching and for telling what has grown old.

use boltseal_model::{Digest, Timestamp};
use sqlx::{AnyConnection, Row as _};

use super::{BuildStep, Facts, built, digest, milliseconds, sql::Query, time};
use crate::Error;

/// Labels kept of one manifest; real ones have a few dozen, and three values each fit into one statement.
const MAX_LABELS: usize = 200;
/// Bytes of a label's name and value that are kept: PostgreSQL has no entry of an index above some 2,700 bytes.
const MAX_NAME: usize = 200;
const MAX_VALUE: usize = 1_000;
/// Layers kept of one image: more than any runtime mounts.
const MAX_LAYERS: usize = 500;
/// Digests that one statement asks for.
const ASKED: usize = 500;

/// What a manifest and its configuration say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// When the image was built, as its configuration says.
    pub created: Option<Timestamp>,
    /// `org.opencontainers.image.base.name`.
    pub base_name: Option<String>,
    /// `org.opencontainers.image.base.digest`.
    pub base_digest: Option<Digest>,
    /// Layers of an image, bottom first.
    pub layers: Vec<Digest>,
    /// Labels of the configuration and annotations of the manifest; the first of a name counts.
    pub labels: Vec<(String, String)>,
    /// The steps that built an image, the first first; `None` where nothing is known of them.
    pub history: Option<Vec<BuildStep>>,
}

impl About {
    /// Stands for these layers in this order.
    fn chain(layers: &[Digest]) -> Option<String> {
        if layers.is_empty() {
            return None;
        }
        let text: Vec<String> = layers.iter().map(ToString::to_string).collect();
        Some(Digest::of(text.join("\n").as_bytes()).to_string())
    }

    /// Stands for the layers of everything that could be this image's base: one for each beginning of its layers that
    /// is not all of them, the longest first.
    pub fn chains_below(&self) -> Vec<String> {
        let lengths = (1..self.layers.len()).rev();
        lengths.filter_map(|length| self.layers.get(..length).and_then(Self::chain)).collect()
    }
}

impl Facts {
    /// What these manifests say of themselves, in any order, without labels and steps; those pushed before this was kept are
    /// left out.
    pub async fn about(&self, wanted: &[Digest]) -> Result<Vec<(Digest, About)>, Error> {
        let mut found = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(ASKED) {
            let mut query = Query::new(
                "SELECT digest, created, base_name, base_digest, layers FROM about WHERE digest IN (",
            );
            query.push_list(some.iter().map(ToString::to_string));
            query.push(")");
            for row in query.build().fetch_all(&self.readers).await? {
                let created: Option<i64> = row.try_get("created")?;
                let base: Option<String> = row.try_get("base_digest")?;
                let layers: &str = row.try_get("layers")?;
                let about = About {
                    created: created.map(|value| time("about.created", value)).transpose()?,
                    base_name: row.try_get("base_name")?,
                    base_digest: base.and_then(|text| text.parse().ok()),
                    layers: serde_json::from_str(layers).map_err(|e| Error::corrupt("about.layers", &e))?,
                    labels: Vec::new(),
                    history: None,
                };
                found.push((digest("about.digest", row.try_get("digest")?)?, about));
            }
        }
        Ok(found)
    }

    /// Images stored here whose layers are exactly these, as [`About::chains_below`] names them: name and image.
    pub async fn images_of_chains(&self, chains: &[String]) -> Result<Vec<(String, Digest)>, Error> {
        let mut found = Vec::new();
        for some in chains.chunks(ASKED) {
            let mut query = Query::new("SELECT chain, digest FROM about WHERE chain IN (");
            query.push_list(some.iter().cloned());
            query.push(
                ") AND EXISTS (SELECT 1 FROM manifests m WHERE m.digest = about.digest) ORDER BY digest",
            );
            for row in query.build().fetch_all(&self.readers).await? {
                found.push((row.try_get("chain")?, digest("about.digest", row.try_get("digest")?)?));
            }
        }
        Ok(found)
    }

    /// Layers of an image, or of each image that an index names, as far as they are stored here.
    pub async fn layers_behind(&self, wanted: &Digest) -> Result<Vec<(Digest, Vec<Digest>)>, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT digest, layers FROM about WHERE chain IS NOT NULL AND (digest = $1 OR digest IN \
             (SELECT l.target FROM links l WHERE l.manifest = $1)) ORDER BY digest",
        )
        .bind(wanted.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(name, layers)| {
                let layers = serde_json::from_str(&layers).map_err(|e| Error::corrupt("about.layers", &e))?;
                Ok((digest("about.digest", &name)?, layers))
            })
            .collect()
    }

    /// The image of `wanted`, which may be an index, that runs where `like` does.
    pub async fn image_behind(&self, wanted: &Digest, like: &Digest) -> Result<Option<Digest>, Error> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT m.digest FROM manifests m WHERE m.digest = $1 AND m.kind = 'image' UNION \
             SELECT c.digest FROM links l JOIN manifests c ON c.repository = l.repository AND c.digest = l.target \
             WHERE l.manifest = $1 AND c.kind = 'image' AND COALESCE(c.platform, '') = \
             COALESCE((SELECT MIN(p.platform) FROM manifests p WHERE p.digest = $2), '') LIMIT 1",
        )
        .bind(wanted.to_string())
        .bind(like.to_string())
        .fetch_optional(&self.readers)
        .await?;
        found.map(|name| digest("manifests.digest", &name)).transpose()
    }

    /// Labels and annotations of a manifest, by name.
    pub async fn labels(&self, wanted: &Digest) -> Result<Vec<(String, String)>, Error> {
        sqlx::query_as("SELECT name, value FROM labels WHERE digest = $1 ORDER BY name")
            .bind(wanted.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }
}

/// Writes down what a manifest says, unless it is known: a digest says the same for ever. Steps are added to what was
/// written before they were kept.
pub(super) async fn write(db: &mut AnyConnection, name: &str, about: &About) -> Result<(), Error> {
    let layers = about.layers.get(..MAX_LAYERS.min(about.layers.len())).unwrap_or_default();
    let listed = serde_json::to_string(layers).map_err(|e| Error::corrupt("a value to store", &e))?;
    let added = sqlx::query(
        "INSERT INTO about (digest, created, base_name, base_digest, layers, chain, history) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO UPDATE SET history = excluded.history \
         WHERE about.history IS NULL AND excluded.history IS NOT NULL",
    )
    .bind(name)
    .bind(about.created.map(milliseconds))
    .bind(about.base_name.as_deref().map(|text| cut(text, MAX_VALUE)))
    .bind(about.base_digest.as_ref().map(ToString::to_string))
    .bind(listed)
    .bind(About::chain(layers))
    .bind(about.history.as_deref().map(built::kept).transpose()?)
    .execute(&mut *db)
    .await?
    .rows_affected();
    if added == 0 || about.labels.is_empty() {
        return Ok(());
    }
    let mut insert = Query::new("INSERT INTO labels (digest, name, value) ");
    insert.push_values(about.labels.iter().take(MAX_LABELS), |row, (label, value)| {
        row.push_bind(name).push_bind(cut(label, MAX_NAME)).push_bind(cut(value, MAX_VALUE));
    });
    insert.push(" ON CONFLICT DO NOTHING");
    insert.build().execute(db).await?;
    Ok(())
}

/// Remembers what a tag pointed to until now.
pub(super) async fn moved(
    db: &mut AnyConnection,
    repository: &str,
    tag: &str,
    before: &str,
    now: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO former_tags (repository, tag, digest, until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (repository, tag, digest) DO UPDATE SET until = excluded.until",
    )
    .bind(repository)
    .bind(tag)
    .bind(before)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// The beginning of a text, without the NUL that PostgreSQL does not take.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().replace('\0', "\u{fffd}")
}
