mod defects;
mod faults;
mod ingest;
mod steadfast;
mod sync;
mod world;
