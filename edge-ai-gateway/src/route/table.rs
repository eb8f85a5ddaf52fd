use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Provider, Result};

/// What a name of the operator's choice stands for.
///
/// ```
/// use edge_ai_gateway::Route;
///
/// let smart = Route::fallback(["anthropic/claude-sonnet-4-5", "openai/gpt-5"]);
/// assert_eq!(smart.targets().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    targets: Vec<String>,
}

impl Route {
    /// Another name for one model.
    pub fn alias(target: impl Into<String>) -> Self {
        Self {
            targets: vec![target.into()],
        }
    }

    /// The first of these models that answers.
    pub fn fallback<T: Into<String>>(targets: impl IntoIterator<Item = T>) -> Self {
        Self {
            targets: targets.into_iter().map(Into::into).collect(),
        }
    }

    /// The models, first choice first, as `provider/model`.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }
}

/// A model at a provider.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) model: Arc<str>,
}

/// Every name that a request may ask for.
///
/// A name is looked up in this order:
/// 1. a route;
/// 2. `provider/model`, where the provider is one of ours; the model may be one that is not listed;
/// 3. a name that is recognisably one provider's, such as `@cf/…`;
/// 4. a model that exactly one provider lists.
#[derive(Debug, Default)]
pub struct RouteTable {
    providers: Vec<Arc<dyn Provider>>,
    /// The only provider that lists a model; `None` when several do.
    listed: HashMap<String, Option<usize>>,
    routes: BTreeMap<String, Route>,
    targets: HashMap<String, Arc<[Target]>>,
}

impl RouteTable {
    /// The names of `providers` and `routes`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for two providers or two routes of one name, a route without a target, and a route whose target is not known.
    pub fn new(providers: Vec<Arc<dyn Provider>>, routes: Vec<(String, Route)>) -> Result<Self> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Configuration, message));
        for (at, provider) in providers.iter().enumerate() {
            let name = provider.name();
            if name.is_empty() || name.contains('/') {
                return wrong(format!(
                    "`{name}` cannot name a provider: it must not be empty or have a slash"
                ));
            }
            if providers.iter().take(at).any(|other| other.name() == name) {
                return wrong(format!(
                    "two providers are named `{name}`; give one of them another name"
                ));
            }
        }
        let mut table = Self {
            listed: listed(&providers),
            providers,
            ..Self::default()
        };
        for (name, route) in routes {
            if table.routes.contains_key(&name) {
                return wrong(format!("there are two routes named `{name}`"));
            }
            if route.targets.is_empty() {
                return wrong(format!("the route `{name}` has no target"));
            }
            if let Some(target) = route.targets.iter().find(|target| table.direct(target).is_none()) {
                let known = table.provider_names();
                return wrong(format!(
                    "the route `{name}` leads to `{target}`, and there is no such provider ({known})"
                ));
            }
            table.insert(name, route);
        }
        Ok(table)
    }

    /// Adds a route with those of its targets that lead somewhere, if any does and the name is free.
    pub fn add_optional(&mut self, name: String, route: Route) {
        let targets: Vec<_> = route
            .targets
            .into_iter()
            .filter(|target| self.direct(target).is_some())
            .collect();
        if !targets.is_empty() && !self.routes.contains_key(&name) {
            self.insert(name, Route { targets });
        }
    }

    fn insert(&mut self, name: String, route: Route) {
        let targets = route
            .targets
            .iter()
            .filter_map(|target| self.direct(target))
            .collect();
        self.targets.insert(name.clone(), targets);
        self.routes.insert(name, route);
    }

    /// Changes when a name leads elsewhere: what is kept under a route's name must not outlive that.
    pub fn fingerprint(&self) -> String {
        let route = |(name, route): (&String, &Route)| format!("{name}={}", route.targets.join(","));
        self.routes.iter().map(route).collect::<Vec<_>>().join(";")
    }

    /// The providers, in the order they were given.
    pub fn providers(&self) -> &[Arc<dyn Provider>] {
        &self.providers
    }

    /// The routes by name.
    pub fn routes(&self) -> &BTreeMap<String, Route> {
        &self.routes
    }

    /// The models to try for a name, first choice first.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with what can be asked for.
    pub(super) fn resolve(&self, name: &str) -> Result<Arc<[Target]>> {
        if let Some(targets) = self.targets.get(name) {
            return Ok(Arc::clone(targets));
        }
        self.direct(name)
            .map(|target| Arc::from([target]))
            .ok_or_else(|| self.unknown(name))
    }

    fn direct(&self, name: &str) -> Option<Target> {
        let target = |provider: &Arc<dyn Provider>, model: &str| {
            Some(Target {
                provider: Arc::clone(provider),
                model: model.into(),
            })
        };
        if let Some((prefix, model)) = name.split_once('/')
            && let Some(provider) = self.providers.iter().find(|provider| provider.name() == prefix)
        {
            return if model.is_empty() {
                None
            } else {
                target(provider, model)
            };
        }
        if let Some(provider) = self.providers.iter().find(|provider| provider.owns(name)) {
            return target(provider, name);
        }
        let provider = self.providers.get((*self.listed.get(name)?)?)?;
        target(provider, name)
    }

    fn unknown(&self, name: &str) -> Error {
        let providers = self.provider_names();
        let routes = self
            .routes
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let routes = if routes.is_empty() {
            String::new()
        } else {
            format!(", or one of: {routes}")
        };
        let shown: String = name.chars().take(128).collect();
        let message = format!(
            "the model `{shown}` does not exist here; ask for `provider/model` ({providers}){routes}"
        );
        Error::new(ErrorKind::NotFound, message)
            .with_param("model")
            .with_code("model_not_found")
    }

    fn provider_names(&self) -> String {
        if self.providers.is_empty() {
            return "no provider is configured".to_owned();
        }
        let names: Vec<_> = self.providers.iter().map(|provider| provider.name()).collect();
        format!("with the provider {}", names.join(", "))
    }
}

fn listed(providers: &[Arc<dyn Provider>]) -> HashMap<String, Option<usize>> {
    let mut listed = HashMap::new();
    for (at, provider) in providers.iter().enumerate() {
        for model in provider.models() {
            listed
                .entry(model.id)
                .and_modify(|only| *only = None)
                .or_insert(Some(at));
        }
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Capabilities, ModelInfo};

    #[derive(Debug)]
    struct Named(&'static str, &'static [&'static str]);

    impl Provider for Named {
        fn name(&self) -> &str {
            self.0
        }

        fn models(&self) -> Vec<ModelInfo> {
            self.1
                .iter()
                .map(|id| ModelInfo::new(*id, Capabilities::CHAT))
                .collect()
        }

        fn owns(&self, model: &str) -> bool {
            self.0 == "cf" && model.starts_with("@cf/")
        }
    }

    fn table(routes: &[(&str, Route)]) -> Result<RouteTable> {
        let providers: Vec<Arc<dyn Provider>> = vec![
            Arc::new(Named("a", &["x", "both"])),
            Arc::new(Named("b", &["both"])),
            Arc::new(Named("cf", &[])),
        ];
        let routes = routes
            .iter()
            .map(|(name, route)| ((*name).to_owned(), route.clone()))
            .collect();
        RouteTable::new(providers, routes)
    }

    fn check(name: &str, expect: &[(&str, &str)]) {
        let table = table(&[
            ("smart", Route::fallback(["b/y", "a/x"])),
            ("a/odd", Route::alias("b/z")),
        ])
        .unwrap();
        let found = table.resolve(name).unwrap_or_else(|_| Arc::from([]));
        let found: Vec<_> = found
            .iter()
            .map(|target| (target.provider.name(), &*target.model))
            .collect();
        assert_eq!(found, expect, "{name}");
    }

    #[test]
    fn names_are_looked_up_in_order() {
        check("smart", &[("b", "y"), ("a", "x")]);
        check("a/odd", &[("b", "z")]);
        check("a/unlisted/with/slashes", &[("a", "unlisted/with/slashes")]);
        check("@cf/meta/llama", &[("cf", "@cf/meta/llama")]);
        check("cf/@cf/meta/llama", &[("cf", "@cf/meta/llama")]);
        check("x", &[("a", "x")]);
        check("both", &[]);
        check("a/", &[]);
        check("nobody/x", &[]);
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = table(&[("smart", Route::alias("a/x"))])
            .unwrap()
            .resolve("gpt")
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.param(), error.code()),
            (ErrorKind::NotFound, Some("model"), Some("model_not_found"))
        );
        assert!(
            error.message().contains("a, b, cf") && error.message().contains("smart"),
            "{error}"
        );
    }

    #[test]
    fn a_table_that_cannot_work_is_refused() {
        assert_eq!(
            table(&[("r", Route::alias("zz/x"))]).unwrap_err().kind(),
            ErrorKind::Configuration
        );
        assert_eq!(
            table(&[("r", Route::fallback(Vec::<String>::new()))])
                .unwrap_err()
                .kind(),
            ErrorKind::Configuration
        );
    }
}
