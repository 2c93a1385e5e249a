//! URLs.

use std::rc::Rc;

use url::Url;

use crate::{
    error::Stop,
    functions::{Function, global, member, refuse},
    value::{Map, Value},
};

/// The longest URL that is read.
const MAX_URL: usize = 8 << 10;

fn parse(text: &str) -> Option<Url> {
    Some(text).filter(|text| text.len() <= MAX_URL).and_then(|text| Url::parse(text).ok())
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("url", 1, 1, |_, values| match values {
        [Value::Text(text)] => match parse(text.as_str()) {
            Some(url) => Ok(Value::Url(Rc::new(url))),
            None => Err(Stop::Wrong(format!("`{}` is no URL", text.as_str()))),
        },
        _ => Err(refuse("url", values)),
    }),
    global("isURL", 1, 1, |_, values| match values {
        [Value::Text(text)] => Ok(Value::Bool(parse(text.as_str()).is_some())),
        _ => Err(refuse("isURL", values)),
    }),
    member("getScheme", 0, 0, |_, values| part("getScheme", values, |url| url.scheme().to_owned())),
    member("getHost", 0, 0, |_, values| {
        part("getHost", values, |url| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", url.host_str().unwrap_or_default())
        })
    }),
    member("getHostname", 0, 0, |_, values| {
        part("getHostname", values, |url| {
            url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
        })
    }),
    member("getPort", 0, 0, |_, values| {
        part("getPort", values, |url| url.port().map(|port| port.to_string()).unwrap_or_default())
    }),
    member("getEscapedPath", 0, 0, |_, values| part("getEscapedPath", values, |url| url.path().to_owned())),
    member("getQuery", 0, 0, |budget, values| {
        let [Value::Url(url)] = values else { return Err(refuse("getQuery", values)) };
        budget.text(url.as_str().len())?;
        let mut out: Vec<(String, Vec<Value<'_>>)> = Vec::new();
        for (key, value) in url.query_pairs() {
            budget.items(out.len())?;
            let value = Value::made(value);
            match out.iter_mut().find(|(own, _)| *own == key) {
                Some((_, values)) => values.push(value),
                None => out.push((key.into_owned(), vec![value])),
            }
        }
        let entries = out.into_iter().map(|(key, values)| (Value::made(key), Value::list(values)));
        Ok(Value::Map(Map::Made(Rc::new(entries.collect()))))
    }),
];

fn part<'a>(name: &str, values: &[Value<'a>], read: fn(&Url) -> String) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Url(url)] => Ok(Value::made(read(url))),
        _ => Err(refuse(name, values)),
    }
}
