"""What a practitioner does about collapse; import a module, each is a section of *Repair*.

- `detection`: which statistic tells a self-consuming loop from a healthy one, and how soon.
- `remedies`: fits with decay, early stopping, ensembles, noise on the inputs.
- `verification`: training only on what a verifier lets through.
- `attribution`: what each generation's data contributed to today's error.
- `unlearning`: taking a batch back out of a posterior, exactly and in mean field.
- `aggregates`: a generator that sees published tables, never the items.
- `universality`: rows that are not normal.
"""
