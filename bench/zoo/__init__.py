"""The zoo: models as people train them, brought to the library where they are, and judged on data it never saw.

Each kind of model is a file with functions ``make(seed) -> Case``: real data where they can be had, the usual
optimizer and learning rate, early stopping or a fixed number of epochs, nothing chosen for the tool. No case knows
how it is measured.

- ``case``: what a trained model comes with; ``kinds``: all of them by name; ``training``: how they are trained.
- ``evaluation``: the losses on a split and their changes with standard errors, computed outside of the library.
- ``rivals``: fine-tuning from the same start in the same time; ``bring``: a case as the library takes it.
- ``measure``: all rows of one case; ``rows``: the file of them; ``verdicts``: what each step is worth, by its row;
  ``summary`` and ``figure``: what is shown of them all.

Run: PYTHONPATH=bench python -m zoo [--cases vae gru] [--seeds 3] [--amounts .01 .05] [--quick] [--summary]

The rows go to ``results/zoo.csv`` as they come. A run that was interrupted goes on where it ended, case by case and
seed by seed, and two runs with different cases may share the file; a case that fails is a row with its error.
``bench/fetch_data.py`` gets the data that need a registry.
"""
