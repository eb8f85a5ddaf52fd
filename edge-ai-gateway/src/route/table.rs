use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use edge_ai_core::{Capabilities, Error, ErrorKind, Provider, Result};
use edge_ai_providers::catalog;

use super::plan::{Chooser, Plan};
use super::strategy::Sight;
use super::target::Target;
use super::tree::Route;
use crate::access::ModelPermissions;

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
    /// Which providers list a model, and what they say it can do.
    listed: HashMap<String, Vec<(usize, Capabilities)>>,
    routes: BTreeMap<String, Route>,
    plans: HashMap<String, Plan>,
    headers: BTreeSet<String>,
}

impl RouteTable {
    /// The names of `providers` and `routes`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for two providers or two routes of one name, a route without a target or without any weight, and a route
    /// whose target is not known.
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
            let wrong = |message: String| {
                let error = Error::new(ErrorKind::Configuration, message);
                Err(error.with_param(format!("routes.{name}")))
            };
            if table.routes.contains_key(&name) {
                return wrong(format!("there are two routes named `{name}`"));
            }
            if let Some(fault) = route.fault() {
                return wrong(format!("the route `{name}` {fault}"));
            }
            let targets = route.targets();
            if let Some(target) = targets.iter().find(|target| table.direct(target).is_none()) {
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
        let known = |target: &str| self.direct(target).is_some();
        if let Some(route) = route.retain(&known)
            && !self.routes.contains_key(&name)
        {
            self.insert(name, route);
        }
    }

    fn insert(&mut self, name: String, route: Route) {
        let find = |target: &str| {
            let mut target = self.direct(target)?;
            let entry = catalog::find(target.provider.name(), target.model());
            target.window = entry.as_ref().and_then(|entry| entry.max_input_tokens);
            let listed = self.capabilities(&target);
            target.capabilities = listed.or_else(|| entry.map(|entry| entry.capabilities));
            Some(target)
        };
        if let Some(plan) = Plan::new(route.clone(), &find) {
            self.plans.insert(name.clone(), plan);
        }
        let mut sight = Sight::default();
        route.looks_at(&mut sight);
        self.headers.extend(sight.headers.into_iter().map(str::to_owned));
        self.routes.insert(name, route);
    }

    /// The one model that a name leads to whatever is asked; `None` for a choice.
    pub(super) fn alone(&self, name: &str) -> Option<Target> {
        match self.plans.get(name) {
            Some(plan) => plan.alone().cloned(),
            None => self.direct(name),
        }
    }

    /// What the target's provider says it can do.
    fn capabilities(&self, target: &Target) -> Option<Capabilities> {
        let listed = self.listed.get(target.model())?;
        let here = |at: usize| self.providers.get(at).map(|provider| provider.name());
        listed
            .iter()
            .find(|(at, _)| here(*at) == Some(target.provider.name()))
            .map(|(_, capabilities)| *capabilities)
    }

    /// Changes when a name leads elsewhere: what is kept under a route's name must not outlive that.
    pub fn fingerprint(&self) -> String {
        // A target without its provider's name leads to whoever lists it.
        let leads: Vec<_> = self
            .routes
            .values()
            .flat_map(Route::targets)
            .map(|target| self.direct(target).map(|target| target.name().to_string()))
            .collect();
        // A map of texts to routes is JSON whatever is in it.
        serde_json::to_string(&(&self.routes, leads)).unwrap_or_default()
    }

    /// The keys of a request's metadata that decide where it goes: what is kept for one value is not for another.
    pub fn metadata_keys(&self) -> BTreeSet<String> {
        self.sight().metadata.into_iter().map(str::to_owned).collect()
    }

    /// The headers that decide where a request goes, in lower case: the gateway puts these in
    /// [`Context::headers`](edge_ai_core::Context::headers), and what is kept for one value is not for another.
    pub const fn header_names(&self) -> &BTreeSet<String> {
        &self.headers
    }

    /// Whether it decides where a request goes by which key it comes: what is kept for one is not for another then.
    pub fn tells_keys_apart(&self) -> bool {
        self.sight().keys
    }

    /// Whether it decides where a request goes that its answer is to be streamed: what is kept for one is not for the other then.
    pub fn tells_streams_apart(&self) -> bool {
        self.sight().streams
    }

    fn sight(&self) -> Sight<'_> {
        let mut sight = Sight::default();
        self.routes.values().for_each(|route| route.looks_at(&mut sight));
        sight
    }

    /// Whether a request may ask for `name`.
    pub fn knows(&self, name: &str) -> bool {
        self.routes.contains_key(name) || self.direct(name).is_some()
    }

    /// Refuses a name that no request may ask for.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] that names it, and what there is.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        if self.knows(name) {
            Ok(())
        } else {
            Err(self.unknown(name))
        }
    }

    /// The providers, in the order they were given.
    pub fn providers(&self) -> &[Arc<dyn Provider>] {
        &self.providers
    }

    /// The routes by name.
    pub fn routes(&self) -> &BTreeMap<String, Route> {
        &self.routes
    }

    /// Whether a name may be asked for: a route by its name, a model by the name that was asked and by its one full name.
    pub(crate) fn permits(&self, models: &ModelPermissions, name: &str) -> bool {
        if models.allow.is_empty() && models.deny.is_empty() {
            return true;
        }
        match self.direct(name) {
            Some(target) if !self.routes.contains_key(name) => models.permit_any(&[name, target.name()]),
            _ => models.permit(name),
        }
    }

    /// The targets whose pace decides somewhere.
    pub(super) fn raced(&self) -> Vec<&str> {
        let mut targets = Vec::new();
        for plan in self.plans.values() {
            plan.raced(&mut targets);
        }
        targets.into_iter().map(|target| &**target.name()).collect()
    }

    /// The models to try for a name, first choice first.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with what can be asked for; [`ErrorKind::Unsupported`] for a route without a model that can do it.
    pub(super) fn resolve(&self, name: &str, chooser: &Chooser<'_>) -> Result<Vec<Target>> {
        let Some(plan) = self.plans.get(name) else {
            let target = self.direct(name).ok_or_else(|| self.unknown(name))?;
            return Ok(vec![target]);
        };
        let targets = plan.order(chooser);
        if targets.is_empty() {
            return Err(incapable(name, chooser.asked.needs()));
        }
        Ok(targets)
    }

    /// Every model that a request for a name may go to.
    pub(super) fn candidates(&self, name: &str) -> Vec<Target> {
        let mut targets = Vec::new();
        match self.plans.get(name) {
            Some(plan) => plan.collect(&mut targets),
            None => return self.direct(name).into_iter().collect(),
        }
        targets.into_iter().cloned().collect()
    }

    fn direct(&self, name: &str) -> Option<Target> {
        if let Some((prefix, model)) = name.split_once('/')
            && let Some(provider) = self.providers.iter().find(|provider| provider.name() == prefix)
        {
            return (!model.is_empty()).then(|| Target::new(provider, model));
        }
        if let Some(provider) = self.providers.iter().find(|provider| provider.owns(name)) {
            return Some(Target::new(provider, name));
        }
        let [(only, _)] = self.listed.get(name)?.as_slice() else {
            return None;
        };
        self.providers
            .get(*only)
            .map(|provider| Target::new(provider, name))
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

fn incapable(name: &str, needs: Capabilities) -> Error {
    let needed: Vec<_> = [
        (needs.embeddings, "embeddings"),
        (needs.rerank, "reranking"),
        (needs.tools, "tools"),
        (needs.vision, "vision"),
        (needs.json_schema, "a JSON schema"),
        (needs.reasoning, "reasoning"),
    ]
    .into_iter()
    .filter_map(|(needed, what)| needed.then_some(what))
    .collect();
    let what = if needed.is_empty() {
        "chat".to_owned()
    } else {
        needed.join(", ")
    };
    let message = format!("no model of `{name}` can do all that this request needs: {what}");
    Error::new(ErrorKind::Unsupported, message).with_param("model")
}

fn listed(providers: &[Arc<dyn Provider>]) -> HashMap<String, Vec<(usize, Capabilities)>> {
    let mut listed: HashMap<_, Vec<_>> = HashMap::new();
    for (at, provider) in providers.iter().enumerate() {
        for model in provider.models() {
            listed.entry(model.id).or_default().push((at, model.capabilities));
        }
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatRequest, ModelInfo, SeededEntropy, Timestamp};

    use crate::route::asked::Asked;
    use crate::route::pace::Paces;
    use crate::usage::PriceTable;
    use crate::{Affinity, Condition};

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

    fn resolve(table: &RouteTable, name: &str) -> Result<Vec<Target>> {
        let request = ChatRequest::new(name).user("hi");
        let chooser = Chooser {
            asked: &Asked::chat(&request, false),
            prices: &PriceTable::empty(),
            paces: &Paces::default(),
            entropy: &SeededEntropy::new(1),
            now: Timestamp::default(),
        };
        table.resolve(name, &chooser)
    }

    fn check(name: &str, expect: &[(&str, &str)]) {
        let table = table(&[
            ("smart", Route::fallback(["b/y", "a/x"])),
            ("a/odd", Route::alias("b/z")),
        ])
        .unwrap();
        let found = resolve(&table, name).unwrap_or_default();
        let found: Vec<_> = found
            .iter()
            .map(|target| (target.provider.name(), target.model()))
            .collect();
        assert_eq!(found, expect, "{name}");
        assert_eq!(table.knows(name), !expect.is_empty(), "{name}");
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
        let table = table(&[("smart", Route::alias("a/x"))]).unwrap();
        let error = resolve(&table, "gpt").unwrap_err();
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
        for route in [
            Route::alias("zz/x"),
            Route::fallback(Vec::<String>::new()),
            Route::fallback([Route::from("a/x"), Route::cheapest(Vec::<Route>::new())]),
            Route::weighted([("a/x", 0), ("b/y", 0)]),
        ] {
            let error = table(&[("r", route)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().contains("`r`"), "{error}");
        }
    }

    #[test]
    fn an_optional_route_keeps_what_is_there() {
        let mut table = table(&[("taken", Route::alias("a/x"))]).unwrap();
        let route = Route::when(
            Condition::stream(),
            Route::weighted([("zz/x", 9), ("b/y", 1)]),
            "zz/y",
        );
        table.add_optional("r".into(), route.clone());
        table.add_optional("taken".into(), route);
        table.add_optional("none".into(), Route::fallback(["zz/x", "zz/y"]));
        assert_eq!(table.routes()["r"].targets(), ["b/y"]);
        assert_eq!(table.routes()["taken"].targets(), ["a/x"]);
        assert!(!table.routes().contains_key("none"));
        assert_eq!(resolve(&table, "r").unwrap()[0].model(), "y");
    }

    #[test]
    fn what_decides_a_way_is_told() {
        let decides = |condition| {
            let route = Route::fallback([Route::when(condition, "a/x", "b/y")]);
            let table = table(&[("r", route)]).unwrap();
            let keys: Vec<_> = table.metadata_keys().into_iter().collect();
            (table.tells_streams_apart(), keys.join(","))
        };
        let stream = || Condition::any([Condition::tools(), !Condition::stream()]);
        assert_eq!(decides(Condition::tools()), (false, String::new()));
        assert_eq!(decides(stream()), (true, String::new()));
        let labeled = Condition::all([Condition::metadata("plan", "pro"), Condition::vision()]);
        assert_eq!(decides(labeled), (false, "plan".to_owned()));
        let session = Route::experiment(Some(Affinity::metadata("session")), [("one", "a/x", 1)]);
        let headed = Route::when(Condition::header("x-plan", "pro"), session, "b/y");
        let table = table(&[
            ("r", headed),
            ("k", Route::when(Condition::key("k1"), "a/x", "b/y")),
        ])
        .unwrap();
        assert!(table.header_names().iter().eq(["x-plan"]));
        assert!(table.metadata_keys().iter().eq(["session"]) && table.tells_keys_apart());
    }

    #[test]
    fn the_fingerprint_tells_choices_apart() {
        let of = |route| table(&[("r", route)]).unwrap().fingerprint();
        let routes = [
            Route::fallback(["a/x", "b/y"]),
            Route::cheapest(["a/x", "b/y"]),
            Route::weighted([("a/x", 1), ("b/y", 1)]),
            Route::weighted([("a/x", 2), ("b/y", 1)]),
        ];
        let prints: std::collections::BTreeSet<_> = routes.into_iter().map(of).collect();
        assert_eq!(prints.len(), 4);
        let listed_by = |name| {
            let routes = vec![("r".to_owned(), Route::alias("x"))];
            let table = RouteTable::new(vec![Arc::new(Named(name, &["x"]))], routes);
            table.unwrap().fingerprint()
        };
        assert_ne!(listed_by("a"), listed_by("b"));
    }
}
