# SPDX-License-Identifier: ISC
"""Who is not root can run the suite, and what needs no root holds then: the
drill, the crash test and the power-cut test again, as an ordinary user."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_suite as cs                                    # noqa: E402

USER = 65534
LONG = bool(os.environ.get('BARID_LONG'))
RUNS = {
    'drill_test.py': 'in_the_sandbox or bites',
    'crash_test.py': 'kill',
    'powercut_test.py': 'records or cut and not needed',
}


@pytest.fixture(scope='module')
def place():
    """A folder of that user's, with what the tests need: neither the tree nor
    the build need be within its reach."""
    cs.make('tests/system/helpers/store_tool',
            'tests/system/helpers/recorder.so',
            'tests/system/helpers/drill.so')
    at = tempfile.mkdtemp(prefix='barid-')
    for part in ('bin', 'libexec'):
        shutil.copytree(f'{cs.BUILD}/{part}', f'{at}/build/{part}',
                        symlinks=True)
    os.makedirs(f'{at}/build/tests/system/helpers')
    for f in ('store_tool', 'recorder.so', 'drill.so'):
        shutil.copy(f'{cs.BUILD}/tests/system/helpers/{f}',
                    f'{at}/build/tests/system/helpers')
    os.mkdir(f'{at}/tests')
    here = os.path.dirname(os.path.abspath(__file__))
    for f in glob.glob(f'{here}/*.py') + [f'{here}/pytest.ini']:
        shutil.copy(f, f'{at}/tests')
    os.mkdir(f'{at}/tmp')
    os.chown(f'{at}/tmp', USER, USER)
    os.chmod(at, 0o755)
    yield at
    shutil.rmtree(at)


@pytest.mark.skipif(os.geteuid() != 0, reason='it is no root that runs this')
@pytest.mark.parametrize('test', [
    'drill_test.py', 'crash_test.py',
    pytest.param('powercut_test.py', marks=pytest.mark.long)])
def test_unprivileged(place, test):
    python = sys.executable
    if not python.startswith('/usr/'):
        python = '/usr/bin/python3'
    env = {'PATH': os.environ['PATH'], 'HOME': f'{place}/tmp',
           'TMPDIR': f'{place}/tmp', 'BARID_BUILD': f'{place}/build',
           'BARID_ROUNDS': '11' if LONG else '3',
           'PYTHONDONTWRITEBYTECODE': '1'}
    p = subprocess.run(
        ['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups',
         python, '-m', 'pytest', '-s', test, '-k', RUNS[test],
         f'--basetemp={place}/tmp/{test[0]}'],   # names of sockets are short
        cwd=f'{place}/tests', env=env, capture_output=True, text=True,
        timeout=300)
    print(p.stdout[-6000:], p.stderr[-2000:])
    assert p.returncode == 0
