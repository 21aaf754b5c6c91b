import sys
from types import ModuleType, SimpleNamespace
m = ModuleType("voting.verify.verify")
m.verify = lambda folder, progress=None: SimpleNamespace(ok=True, problems=())
sys.modules["voting.verify.verify"] = m
