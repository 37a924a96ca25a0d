"""``rtser batch``: whole archives, in processes of this machine or on a Dask cluster; finished results are kept."""
