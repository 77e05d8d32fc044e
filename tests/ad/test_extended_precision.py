"""Extended precision: the numbers and constants of the code are taken in the unknowns' precision."""

import mpmath as mp
import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.programs import computation as evaluation

EPS = np.finfo(np.longdouble).eps


def exactly(v):
    """A longdouble as a number of mpmath's: the sum of two doubles."""
    high = float(v)
    return mp.mpf(high) + mp.mpf(float(v - np.longdouble(high)))


def rounded(m):
    high = float(m)
    return np.longdouble(high) + np.longdouble(float(m - mp.mpf(high)))


# name: (function of one unknown, its slope in exact arithmetic)
# ruff: noqa: E501  (one case a line)
CASES = {
    "mul":(lambda x:0.1*(0.1*x),lambda x:mp.mpf(.1)*mp.mpf(.1)),
    "mix":(lambda x:0.3*np.sin(x)*0.7+0.1*np.cos(x)*0.9,lambda x:mp.mpf(.3)*mp.mpf(.7)*mp.cos(x)-mp.mpf(.1)*mp.mpf(.9)*mp.sin(x)),
    "div":(lambda x:x/0.3/0.7,lambda x:1/mp.mpf(.3)/mp.mpf(.7)),
    "divint":(lambda x:x/3/7,lambda x:mp.mpf(1)/21),
    "rdiv":(lambda x:0.1/x,lambda x:-mp.mpf(.1)/x**2),
    "pow":(lambda x:x**0.3,lambda x:mp.mpf(.3)*x**(mp.mpf(.3)-1)),
    "pow3":(lambda x:0.1*x**3,lambda x:3*mp.mpf(.1)*x**2),
    "rpow":(lambda x:0.1**x,lambda x:mp.mpf(.1)**x*mp.log(mp.mpf(.1))),
    "neg":(lambda x:-0.1*x*-0.7,lambda x:mp.mpf(.1)*mp.mpf(.7)),
    "sub":(lambda x:0.1*(1-0.3*x),lambda x:-mp.mpf(.1)*mp.mpf(.3)),
    "arr":(lambda x:x*np.array([0.1])*0.1,lambda x:mp.mpf(.1)**2),
    "arr/":(lambda x:x/np.array([0.3])/0.7,lambda x:1/mp.mpf(.3)/mp.mpf(.7)),
    "np64":(lambda x:np.float64(.1)*x*np.float64(.1),lambda x:mp.mpf(.1)**2),
    "mean":(lambda x:np.mean(np.concatenate([x,x*x,0.1*x])).reshape(1),lambda x:(1+2*x+mp.mpf(.1))/3),
    "sum":(lambda x:np.sum(0.1*np.concatenate([x*0.1,x*0.3])).reshape(1),lambda x:mp.mpf(.1)*(mp.mpf(.1)+mp.mpf(.3))),
    "matmul":(lambda x:np.array([[0.1]])@(0.1*x),lambda x:mp.mpf(.1)**2),
    "matmul2":(lambda x:np.array([[0.1]])@(np.array([[.1]])@x),lambda x:mp.mpf(.1)**2),
    "where":(lambda x:np.where(x>0,0.1*x,x)*0.1,lambda x:mp.mpf(.1)**2),
    "branch":(lambda x:ad.branch(x>0,lambda i:0.1*x[i],lambda i:x[i])*0.1,lambda x:mp.mpf(.1)**2),
    "sqrt":(lambda x:0.1*np.sqrt(0.1*x),lambda x:mp.mpf(.1)*mp.mpf(.1)/(2*mp.sqrt(mp.mpf(.1)*x))),
    "log10":(lambda x:np.log10(x),lambda x:1/x/mp.log(10)),
    "hypot":(lambda x:np.hypot(x,0.1),lambda x:x/mp.sqrt(x*x+mp.mpf(.1)**2)),
    "weights2":(lambda x:(x*np.array([.1]))*np.array([.1]),lambda x:mp.mpf(.1)**2),
    "cumsum":(lambda x:np.cumsum(0.1*np.concatenate([x,0.1*x]))[1:],lambda x:mp.mpf(.1)*(1+mp.mpf(.1))),
    "diff":(lambda x:np.diff(np.concatenate([0.1*x,0.3*x])) *0.1,lambda x:mp.mpf(.1)*(mp.mpf(.3)-mp.mpf(.1))),
    "var":(lambda x:np.var(np.concatenate([0.1*x,0.3*x])).reshape(1),lambda x:2*x*(mp.mpf(.3)-mp.mpf(.1))**2/4),
    "avg":(lambda x:np.average(np.concatenate([x,0.1*x]),weights=[.1,.2]).reshape(1),lambda x:(mp.mpf(.1)+mp.mpf(.2)*mp.mpf(.1))/(mp.mpf(.1)+mp.mpf(.2))),
    "trapz":(lambda x:np.trapezoid(np.concatenate([x,0.1*x]),dx=0.1).reshape(1),lambda x:(1+mp.mpf(.1))/2*mp.mpf(.1)),
    "sparsesum":(lambda x:0.1*ad.sparsesum([(1,[0],0.1*x),(1,[0],0.3*x)]),lambda x:mp.mpf(.1)*(mp.mpf(.1)+mp.mpf(.3))),
    "grad":(lambda x:np.gradient(np.concatenate([x,0.1*x,x*x]),0.1)[:1],lambda x:(mp.mpf(.1)-1)/mp.mpf(.1)),
    "clip":(lambda x:np.clip(x,0,.5)*0.1*0.1,lambda x:mp.mpf(.1)**2),
    "polyval":(lambda x:np.polyval([.1,.2,.3],x),lambda x:2*mp.mpf(.1)*x+mp.mpf(.2)),
    "einsum":(lambda x:np.einsum("i,i->i",x*0.1,np.array([.1])),lambda x:mp.mpf(.1)**2),
    "tensordot":(lambda x:np.outer(0.1*x,[.1]).ravel(),lambda x:mp.mpf(.1)**2),
    "prod":(lambda x:np.prod(np.concatenate([0.1*x,0.1*x])).reshape(1),lambda x:2*x*mp.mpf(.1)**2),
    "norm":(lambda x:np.linalg.norm(np.concatenate([0.1*x,0.3*x])).reshape(1),lambda x:mp.sqrt(mp.mpf(.1)**2+mp.mpf(.3)**2)),
    "logsumexp":(lambda x:np.logaddexp(0.1*x,0.3*x),lambda x:(mp.mpf(.1)*mp.exp(mp.mpf(.1)*x)+mp.mpf(.3)*mp.exp(mp.mpf(.3)*x))/(mp.exp(mp.mpf(.1)*x)+mp.exp(mp.mpf(.3)*x))),
}  # fmt: skip


@pytest.mark.skipif(EPS > 1e-17, reason="longdouble is double here")
@pytest.mark.parametrize("name", CASES)
def test_slopes_of_extended_precision(name):
    f, slope = CASES[name]
    with mp.workdps(60):
        x = np.array([np.longdouble(1) / 3])
        exact = rounded(slope(exactly(x[0])))
    for _ in range(evaluation.COMPILE_AFTER + 3):
        J = ad.jacobian(f, x).toarray()[0, 0]
        assert abs(J / exact - 1) <= 40 * EPS
    J = ad.jvp(f, x, np.ones(1, dtype=np.longdouble))[1].ravel()[0]
    assert abs(J / exact - 1) <= 40 * EPS
