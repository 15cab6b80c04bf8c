# The profile of a result folder, as a notebook: each `# %%` is a cell in VS Code, Spyder and Jupytext.
#
#     python draw_profile.py results [profile.png]     needs numpy and matplotlib

# %% What `synergy analyze MODEL -o results` left
import sys

import matplotlib

if __name__ == "__main__" and len(sys.argv) > 2:
    matplotlib.use("Agg")  # to a file, no window
import matplotlib.pyplot as plt
import numpy

import synergy

folder = sys.argv[1] if len(sys.argv) > 1 else "results"
picture = sys.argv[2] if len(sys.argv) > 2 else None
r = synergy.load(folder)
print(r)
print(f"{len(r.names)} units, {r.phiid['input']['prompts']} prompts")

# %% Both readings of the paper's score, and what is left when memory is taken away
title = {"rank-difference": "rank of synergy - rank of redundancy",
         "difference": "rank of (synergy - redundancy)",
         "excess": f"excess over circular shifts, {r.unit_of('units.csv', 'synergy')}"}
there = [name for name in title if name in set(r.profile["score_name"])]
figure, axes = plt.subplots(1, len(there), figsize=(4 * len(there), 3), squeeze=False)
for ax, name in zip(axes[0], there):
    depth, mean, low, high = r.profile_of(name)
    ax.plot(depth, mean, color="black", linewidth=1.5)
    if not numpy.isnan(low).all():
        ax.fill_between(depth, low, high, color="black", alpha=0.15, linewidth=0)
    ax.axvspan(1 / 3, 2 / 3, color="tab:blue", alpha=0.07, linewidth=0)
    ax.set_title(title[name], fontsize=9)
    ax.set_xlabel("depth, 0 first layer, 1 last")
    print(f"{name}: highest at depth {depth[numpy.nanargmax(mean)]:.2f}")
figure.tight_layout()
if picture:
    figure.savefig(picture, dpi=150)
else:
    plt.show()

# %% The ten units with the highest score
order = numpy.argsort(-numpy.asarray(r.units["score"], float), kind="stable")[:10]
for k in order:
    print(f"{r.names[k]:>8}  score {float(r.units['score'][k]):8.1f}  synergy {float(r.units['synergy'][k]):.4f} nats")
