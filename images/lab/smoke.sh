# Runs smoke.py in the guest, past the environment's hook that would build the sources first.
site=$(echo .venv/lib/python3*/site-packages)
PYTHONPATH=$PWD:$PWD/$site exec python -S images/lab/smoke.py
