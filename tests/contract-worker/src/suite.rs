use edge_ai_core::Result;
use edge_ai_testkit::{Case, Outcome, Subject};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

/// The cases of all traits and implementations, by name.
#[derive(Default)]
pub(crate) struct Suite<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    name: String,
    run: Box<dyn FnOnce() -> BoxFuture<'a, Outcome> + Send + 'a>,
}

impl<'a> Suite<'a> {
    /// Adds the cases of an implementation, `trait/implementation`; the subject is made when a case runs.
    pub(crate) fn add<S: Subject>(
        &mut self,
        name: &str,
        cases: Vec<Case<S>>,
        subject: impl Fn() -> Result<S> + Clone + Send + 'a,
    ) {
        for case in cases {
            let subject = subject.clone();
            let name = format!("{name}/{}", case.name());
            let run = move || match subject() {
                Ok(subject) => async move { case.run(subject).await }.boxed(),
                Err(error) => ready(Outcome::Failed(format!("there is nothing to test: {error}"))).boxed(),
            };
            self.entries.push(Entry {
                name,
                run: Box::new(run),
            });
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// Runs a case; `None` when there is none of that name.
    pub(crate) async fn run(self, name: &str) -> Option<Outcome> {
        let entry = self.entries.into_iter().find(|entry| entry.name == name)?;
        Some((entry.run)().await)
    }
}
