# Runs smoke.py in the guest, past the environment's hook that would build the sources first: the
# control plane is plain Python, and its profiles lie beside it once it is built.
package=$(mktemp -d)
cp -r control "$package"
ln -s "$PWD/hw_profiles" "$package/control/profiles"
site=$(echo .venv/lib/python3*/site-packages)
PYTHONPATH=$package:$PWD/$site exec python -P -S images/lab/smoke.py
