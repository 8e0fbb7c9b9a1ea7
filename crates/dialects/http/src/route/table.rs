//! Finding the route of a request.

use super::{DocInfo, Route, openapi};
use axum::http::Method;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use std::sync::OnceLock;

/// A dialect's routes.
pub struct Table {
    info: DocInfo,
    routes: Vec<Route>,
    patterns: Vec<Pattern>,
    document: OnceLock<Bytes>,
}

/// What a table knows about a method and path.
pub enum Lookup<'t> {
    /// This route.
    Route {
        /// The route.
        route: &'t Route,
        /// Its path parameters, decoded.
        params: Vec<(&'static str, String)>,
    },
    /// The path is known, with these methods only (value of `Allow`).
    OtherMethods(String),
    /// No such path.
    Nothing,
}

struct Pattern {
    segments: Vec<Segment>,
    route: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    // Literals sort, and so match, before parameters.
    Literal(&'static str),
    Param(&'static str),
}

impl Table {
    /// A table of these routes.
    ///
    /// # Panics
    /// When two routes have the same method and path: a mistake in the table.
    pub fn new(info: DocInfo, routes: Vec<Route>) -> Self {
        let mut patterns: Vec<Pattern> = routes
            .iter()
            .enumerate()
            .flat_map(|(route, entry)| {
                entry.paths().map(move |path| Pattern {
                    segments: path.split('/').skip(1).map(Segment::parse).collect(),
                    route,
                })
            })
            .collect();
        patterns.sort_by(|left, right| left.segments.cmp(&right.segments));
        let shapes: Vec<(Vec<String>, &str)> = patterns
            .iter()
            .map(|pattern| (pattern.shape(), routes[pattern.route].method.as_str()))
            .collect();
        for (at, shape) in shapes.iter().enumerate() {
            if let Some(before) = shapes[..at].iter().position(|other| other == shape) {
                let row = |at: usize| routes[patterns[at].route].row;
                panic!(
                    "rows {} and {} have the same method and path",
                    row(before),
                    row(at)
                );
            }
        }
        Self {
            info,
            routes,
            patterns,
            document: OnceLock::new(),
        }
    }

    /// All routes, in the table's order.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route for a method and a raw path. `/x` and `/x/` are the same; `HEAD` is
    /// looked up as `GET`.
    pub fn find(&self, method: &Method, path: &str) -> Lookup<'_> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let mut allow = Vec::new();
        for pattern in &self.patterns {
            let Some(params) = pattern.matches(&segments) else {
                continue;
            };
            let route = &self.routes[pattern.route];
            if route.method == *method {
                return Lookup::Route { route, params };
            }
            allow.push(route.method.as_str());
            if route.method == Method::GET {
                allow.push("HEAD");
            }
        }
        if allow.is_empty() {
            return Lookup::Nothing;
        }
        allow.push("OPTIONS");
        allow.sort_unstable();
        allow.dedup();
        Lookup::OtherMethods(allow.join(", "))
    }

    /// Contract rows with the method and paths that serve them.
    pub fn coverage(&self) -> impl Iterator<Item = (&'static str, &Method, &'static str)> {
        self.routes
            .iter()
            .flat_map(|route| route.paths().map(|path| (route.row, &route.method, path)))
    }

    /// The OpenAPI document as JSON.
    pub fn document(&self) -> Bytes {
        self.document
            .get_or_init(|| openapi::document(&self.info, &self.routes))
            .clone()
    }
}

impl Pattern {
    /// The pattern without the names of its parameters, which tell nothing apart.
    fn shape(&self) -> Vec<String> {
        let shape = |segment: &Segment| match segment {
            Segment::Literal(literal) => (*literal).to_owned(),
            Segment::Param(_) => "{}".to_owned(),
        };
        self.segments.iter().map(shape).collect()
    }

    fn matches(&self, segments: &[&str]) -> Option<Vec<(&'static str, String)>> {
        if self.segments.len() != segments.len() {
            return None;
        }
        let mut params = Vec::new();
        for (segment, raw) in self.segments.iter().zip(segments) {
            match segment {
                Segment::Literal(literal) if literal == raw => {}
                Segment::Param(name) if !raw.is_empty() => {
                    let value = percent_decode_str(raw).decode_utf8().ok()?;
                    if value.contains('\0') {
                        return None;
                    }
                    params.push((*name, value.into_owned()));
                }
                _ => return None,
            }
        }
        Some(params)
    }
}

impl Segment {
    fn parse(text: &'static str) -> Self {
        text.strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .map_or(Self::Literal(text), Self::Param)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Call, Doc, Fault};
    use axum::http::StatusCode;
    use pressroom_fleet::authorize::Action;

    async fn nothing(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty(StatusCode::OK))
    }

    fn table() -> Table {
        Table::new(
            DocInfo::new("Test", "A test"),
            vec![
                Route::get("X1", "/x/{id}", Action::SiteRead, nothing),
                Route::get("X2", "/x/all", Action::SiteRead, nothing).doc(Doc::new("All")),
                Route::post("X3", "/x/{id}", Action::SiteInstall, nothing).also_at(&["/y/{id}"]),
            ],
        )
    }

    fn row(method: &Method, path: &str) -> String {
        match table().find(method, path) {
            Lookup::Route { route, params } => {
                let params: Vec<_> = params.iter().map(|(n, v)| format!("{n}={v}")).collect();
                format!("{} {}", route.row, params.join(","))
            }
            Lookup::OtherMethods(allow) => allow,
            Lookup::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn literals_come_first_and_slashes_do_not_matter() {
        assert_eq!(row(&Method::GET, "/x/all"), "X2 ");
        assert_eq!(row(&Method::HEAD, "/x/all/"), "X2 ");
        assert_eq!(row(&Method::GET, "/x/a%2Fb"), "X1 id=a/b");
        assert_eq!(row(&Method::POST, "/y/1"), "X3 id=1");
        assert_eq!(row(&Method::DELETE, "/x/1"), "GET, HEAD, OPTIONS, POST");
        for path in [
            "/x", "/x/", "/x//", "/x/1/2", "/", "", "/x/%ff", "/x/%00", "//x/1",
        ] {
            assert_eq!(row(&Method::GET, path), "nothing", "{path}");
        }
    }

    #[test]
    #[should_panic(expected = "rows X1 and X9")]
    fn a_path_served_twice_is_a_mistake() {
        let mut routes = table().routes().to_vec();
        routes.push(Route::get("X9", "/x/{name}", Action::SiteRead, nothing));
        Table::new(DocInfo::new("Test", ""), routes);
    }
}
