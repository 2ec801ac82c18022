"""Which datasets there are.

Belongs here: the list. Does not belong here: any declaration, each in a module beside this one.
"""

from vitalake.dataset import Dataset
from vitalake.datasets.ecg import ECG

DATASETS: tuple[Dataset, ...] = (ECG,)
